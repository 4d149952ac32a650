"""The loop, its schedule, determinism and checkpoints."""
