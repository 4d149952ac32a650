"""DSN-SAAL: regenerate a COVID-19 CT paper from pixels to PDF."""

__version__ = "0.1.0"
