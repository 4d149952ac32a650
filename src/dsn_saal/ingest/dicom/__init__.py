"""CT as DICOM: from files to HU and manifest rows."""
