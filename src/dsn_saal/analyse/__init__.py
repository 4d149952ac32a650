"""How sure the numbers are: from stored predictions to small files of numbers, each missing one with its reason."""
