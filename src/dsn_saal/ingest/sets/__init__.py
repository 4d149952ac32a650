"""Public data sets in their published layouts, each checked against its published counts."""
