"""Images resident on the device, and batches of them."""
