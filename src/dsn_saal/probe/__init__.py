"""What needs a trained network beyond its predictions: where it looks, what it does elsewhere, how it is built."""
