"""A synthetic chest-CT cohort, written as the DICOM series a hospital would export."""
