"""Files of numbers become tables."""
