"""Phantoms in the layouts of the public sets, so that a reader is tried on its own format. Marked as what they are."""
