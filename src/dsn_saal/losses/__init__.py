"""One loss per file: plain numbers in, tensors through."""
