"""Formats and atomic writes: a file under its final name is always whole."""
