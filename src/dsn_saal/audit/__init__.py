"""Verify, explain, seal."""
