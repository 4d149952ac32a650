"""Files from an archive or a DICOMweb server, brought into a folder."""
