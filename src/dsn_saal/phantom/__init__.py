"""Synthetic chest CT: patients with known lungs, lesions and labels, written as a hospital exports them."""
