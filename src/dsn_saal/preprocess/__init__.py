"""Window, lungs, resize: array to array."""
