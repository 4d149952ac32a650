"""What the GPU scripts train: the settings of params.yaml as plain values; a test holds them together."""

from __future__ import annotations

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "normal_0.01",
}  # fmt: skip
SAAL = {
    "kind": "saal", "alpha_init": "normal", "beta_init": "normal", "betas": "each_output", "log_zero": -4.0,
    "normalise_weights": "none", "decay_alpha_beta": True, "lr_alpha_beta": 1.0, "effective_number": True,
    "reverse": True, "learn_alpha": True, "learn_beta": True, "side_weight": 1.0,
}  # fmt: skip
CE = {"kind": "cross_entropy", "weighting": "none", "effective_beta": 0.0, "gamma": 0.0, "side_weight": 1.0}
REGIMEN = {
    "optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": False}, "epochs": 1, "lr": 1e-4,
    "rate": {"kind": "constant"}, "weight_decay": 5e-4, "batch_size": 128, "drop_last": False, "augmentation": None,
    "freeze_after": None, "vote_epochs": 1,
}  # fmt: skip
CLASSES = ("a", "b", "c")
