"""Which pixels of a slice a network sees, and the array that holds them."""

from __future__ import annotations

from typing import Literal

Pixels = Literal["lungs", "surroundings"]
"""The lungs as section 4 of the paper cuts them out, or what is left of the slice without them."""

PIXEL_FILES: dict[Pixels, str] = {"lungs": "images.npy", "surroundings": "surroundings.npy"}
"""Array of each, in the folder that preprocess writes."""

Normalisation = Literal["imagenet_grey", "covid_ct", "unit", "none"]
"""How grey values become the numbers that a network reads."""
