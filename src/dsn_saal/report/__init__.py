"""Tables, figures and numbers become a printed paper."""
