"""The training loop, determinism, checkpoints."""
