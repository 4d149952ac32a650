"""Case-wise split and the certificate that training requires."""
