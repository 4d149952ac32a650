"""Files of numbers become figures."""
