"""A tiny cohort and the settings of a tiny experiment."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from dsn_saal.evaluate.experiment import evaluate_experiment
from dsn_saal.params.jobs import EvaluateJob, TrainJob, parse_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import write_table
from dsn_saal.train.experiment import train_experiment
from dsn_saal.train.tracks import Places

CLASSES = ("covid19", "normal", "bacterial_pneumonia")
CASES = [f"case {label}{number // 2}" for label in range(3) for number in range(8)]
"""Two slices a case: three training cases and one test case a class."""

SIDE = {
    "tap": "after_relu",
    "channels": 3,
    "merge": "sum",
    "fuse_channels": 1,
    "side_bn": False,
    "side_init": "normal_0.01",
}
SAAL = {
    "kind": "saal",
    "alpha_init": "normal",
    "beta_init": "normal",
    "betas": "each_output",
    "log_zero": -4.0,
    "normalise_weights": "none",
    "decay_alpha_beta": True,
    "lr_alpha_beta": 1.0,
    "effective_number": True,
    "reverse": True,
    "learn_alpha": True,
    "learn_beta": True,
    "side_weight": 1.0,
}
CENTER = {"kind": "center", "center_weight": 0.05, "center_rate": 0.5, "side_weight": 1.0}
AFFINITY = {
    "loss": {"kind": "max_margin_affinity", "margin": 0.75, "spread_weight": 1.0, "side_weight": 1.0},
    "model": {
        "backbone": "vgg16_bn",
        "deep_supervision": None,
        "last_layer": {"kind": "prototypes", "per_class": 2, "sigma": 10.0},
    },
}
"""What a run that learns affinities to prototypes has changed."""
PLAIN = {"kind": "cross_entropy", "weighting": "none", "effective_beta": 0.0, "gamma": 0.0, "side_weight": 1.0}
REGIMEN = {
    "optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": False},
    "epochs": 2,
    "lr": 0.01,
    "rate": {"kind": "steps", "milestones": [1], "gamma": 0.1},
    "weight_decay": 5e-4,
    "batch_size": 8,
    "drop_last": False,
    "augmentation": None,
    "freeze_after": None,
    "vote_epochs": 1,
}
TRAIN = {
    "precision": "auto",
    "select_epoch": "last",
    "validation_share": None,
    "compile": False,
    "keep_weights": "all",
    "runs": 1,
    "first_seed": 0,
    "threads": 1,
}
EVALUATE = {
    "predict_from": "final",
    "batch_size": 4,
    "accuracy": "overall",
    "f1": "macro",
    "g_mean": "multiclass",
    "auc": "ovr_macro",
    "std_ddof": 1,
    "interval_level": 0.95,
    "bootstrap_draws": 100,
    "bootstrap_seed": 0,
}
SELECTING = {"select_epoch": "best_validation", "validation_share": 0.3}
"""What a run that selects its epoch has changed."""


def settings(deep=True, **change):
    """JSON of a training job; `change` maps a key of the regimen, of `train` or of the job to a value."""
    job = {
        "name": "tiny",
        "labels": "as_given",
        "network": {"width": 0.03, "weights": "none", "conv1": "sum", "dropout": 0.5, "normalise": "imagenet_grey"},
        "model": {"backbone": "vgg16_bn", "deep_supervision": SIDE if deep else None},
        "loss": SAAL if deep else PLAIN,
        "method": {"kind": "supervised", "regimen": "paper"},
        "regimen": dict(REGIMEN),
        "phases": [],
        "train": dict(TRAIN),
        "image_size": 32,
        "classes": CLASSES,
        "accept": [],
        "predict_batch": None,
    }
    for key, value in change.items():
        place = next((section for section in ("regimen", "train") if key in job[section]), None)
        (job[place] if place else job)[key] = value
    if job["train"]["keep_weights"] != "all":
        job["predict_batch"] = 4
    return json.dumps(job)


class Place:
    """Folders of one experiment: inputs, results, state."""

    def __init__(self, root: Path):
        self.root = root
        self.images, self.split, self.certificate = root / "images", root / "split.parquet", root / "certificate.json"
        self.out, self.state = root / "out", root / "state"
        self.images.mkdir(parents=True)
        labels = np.repeat(np.arange(3), 8)
        pixels = np.random.default_rng(0).integers(0, 60, (24, 32, 32)) + 60 * labels[:, None, None]
        np.save(self.images / "images.npy", pixels.astype(np.uint8))
        part = np.where(np.arange(24) % 8 < 6, "train", "test")  # 18 train: two steps of 8 and one of 2
        self.write_split(pd.DataFrame({"row": np.arange(24), "case": CASES, "label": labels, "draw": 0, "part": part}))
        self.write_certificate("PROVEN", case="PROVEN")

    def write_split(self, table):
        write_table(self.split, table)

    def write_certificate(self, verdict, **levels):
        entries = {}
        for name, level in levels.items():
            findings = [{"name": f"{name}: a"}, {"name": f"{name}: b"}] if level == "VIOLATED" else []
            entries[name] = {"verdict": level, "found": len(findings), "missing": 0, "findings": findings}
        write_json(self.certificate, {"verdict": verdict, "levels": entries})

    def places(self, *unlabelled):
        """Where the plan looks."""
        return Places(self.out, self.state, self.split, self.images, unlabelled)

    def arguments(self):
        """Command line without --settings, as a rule gives it."""
        return [
            "train",
            "--experiment",
            "tiny",
            "--images",
            str(self.images),
            "--split",
            str(self.split),
            "--certificate",
            str(self.certificate),
            "--out",
            str(self.out),
            "--state",
            str(self.state),
            "--code",
            "abc",
            "--device",
            "cpu",
        ]

    def train(self, *, checkpoint_seconds=60.0, code="abc", device="cpu", **change):
        """Run the job in this process."""
        train_experiment(
            parse_job(TrainJob, settings(**change)),
            images=self.images,
            split=self.split,
            certificate=self.certificate,
            out=self.out,
            state=self.state,
            code=code,
            device=device,
            checkpoint_seconds=checkpoint_seconds,
        )
        return self.content()

    def evaluate(self, predict_from="final", **change):
        """Evaluate what was trained, in this process, to root/evaluated; returns the summary."""
        table = pd.read_parquet(self.split).drop_duplicates("row")
        write_table(self.images / "index.parquet", table[["row", "case", "label"]].assign(origin="phantom"))
        job = json.loads(settings(**change))
        kept = {key: job[key] for key in ("name", "network", "model", "image_size", "classes")}
        measured = {**EVALUATE, "predict_from": predict_from}
        more = {"evaluate": measured, "runs": job["train"]["runs"], "threads": 1, "positive": "covid19"}
        return evaluate_experiment(
            parse_job(EvaluateJob, json.dumps(kept | more | {"block": None})),
            images=self.images,
            split=self.split,
            weights=self.out,
            out=self.root / "evaluated",
        )

    def content(self):
        """Every file of the results with its bytes."""
        return {p.relative_to(self.out).as_posix(): p.read_bytes() for p in sorted(self.out.rglob("*")) if p.is_file()}
