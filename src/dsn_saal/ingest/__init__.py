"""DICOM reading and sorting: a folder tree becomes a manifest without identities."""
