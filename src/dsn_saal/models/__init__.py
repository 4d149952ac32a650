"""Backbones, deep supervision and pretrained weights."""
