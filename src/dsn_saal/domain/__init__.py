"""Value types that cannot be built wrong, and the errors every room raises."""
