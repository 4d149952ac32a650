"""A small cohort and its evaluation, written in the true formats by the program's own writers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dsn_saal.domain.classes import ClassSet
from dsn_saal.evaluate.summary import header_of, run_metrics, summary_of, without_nan
from dsn_saal.params.jobs import evaluate_job
from dsn_saal.params.reading import resolve
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.storage.listing import sha256_of, write_listing
from dsn_saal.storage.tables import write_table

ROOT = Path(__file__).parents[2]
SIDE = 32
RUNS = 3
DIVERGED = {"epoch": 1, "step": 2, "term": "ce of output final"}


def small_settings(**change):
    """params.yaml at demo scale, three runs of 32 pixels; `change` maps section__key to a value."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["scale"] = "demo"
    demo = raw["scales"]["demo"]
    demo["preprocess"]["image_size"], demo["train"]["runs"], demo["network"]["width"] = SIDE, RUNS, 0.02
    raw["evaluate"]["bootstrap_draws"] = raw["analyse"]["bootstrap_draws"] = 200
    for key, value in change.items():
        *sections, name = key.split("__")
        laid, block = demo, raw
        for section in sections:
            laid, block = laid.get(section, {}), block[section]
        (laid if name in laid else block)[name] = value
    return resolve(raw)


class Cohort:
    """Files of a cohort below `root`: preprocess/, split/, ingest/, evaluate/<experiment>/."""

    def __init__(self, root, origin="phantom", cases=(4, 5, 3), test_cases=2):
        self.root, self.origin = Path(root), origin
        self.images = self.root / "preprocess"
        self.split = self.root / "split" / "case_70_30.parquet"
        self.certificate = self.root / "split" / "case_70_30.certificate.json"
        self.flow = self.root / "ingest" / "flow.json"
        self.mask_quality = self.images / "mask_quality.json"
        self.index_path = self.images / "index.parquet"
        self.index = self._index(cases)
        ranks = self.index.groupby("label")["case"].transform(lambda cases: cases.rank(method="dense"))
        self.parts = np.where(ranks <= test_cases, "test", "train")
        self._write()

    def _index(self, cases):
        names, rows = list(small_settings().datasets["covid19_diag"].classes), []
        for label, count in enumerate(cases):
            for number in range(count):
                case = hashlib.blake2b(f"{label}-{number}".encode(), digest_size=8).hexdigest()
                for z in range(2 + number % 3):
                    rows.append((case, label, names[label], z * 5.0, 0.1 * (z + 1)))
        table = pd.DataFrame(rows, columns=["case", "label", "class_name", "z_mm", "lung_share"])
        table = table.sort_values(["label", "case", "z_mm"], ignore_index=True)
        table.insert(0, "row", np.arange(len(table), dtype=np.int32))
        digests = [hashlib.sha256(str(row).encode()).hexdigest() for row in table["row"]]
        return table.assign(
            series=table["case"], origin=self.origin, file_sha256=digests, empty=False, manufacturer="SIEMENS",
            decoder="pydicom 3.0.2", number=-1, asymmetry=0.1, n_regions=np.int8(2), touches_border=False,
        ).astype({"label": np.int8})  # fmt: skip

    def _write(self):
        generator = np.random.default_rng(5)
        y, x = np.mgrid[:SIDE, :SIDE]
        masks = np.stack(
            [((x - 16) ** 2 + (y - 16) ** 2) < (6 + share * 12) ** 2 for share in self.index["lung_share"]]
        )
        grey = generator.integers(40, 80, (len(masks), SIDE, SIDE)) + 40 * self.index["label"].to_numpy()[:, None, None]
        self.images.mkdir(parents=True)
        np.save(self.images / "images.npy", (grey * masks).astype(np.uint8))
        np.save(self.images / "masks.npy", np.packbits(masks.reshape(len(masks), -1), axis=1))
        write_table(self.index_path, self.index)
        write_table(self.split, self.index[["row", "case", "label"]].assign(draw=0, part=self.parts))
        levels = {level: {"verdict": "PROVEN", "shared": []} for level in ("case", "series", "pixel")}
        whole = {"verdict": "PROVEN", "levels": levels, "counts": self._counts(), "draws": 1}
        whole |= {"label_conflicts_total": 0}
        write_json(self.certificate, whole)
        overlap = {"slices": len(masks), "mean": 0.987, "min": 0.934}
        write_json(
            self.mask_quality,
            {
                "slices": len(masks),
                "kept": len(masks),
                "empty": 0,
                "hull_iou": overlap,
                "hull_iou_missing_because": None,
            },
        )
        counts = {
            "slices": len(masks),
            "origins": {self.origin: len(masks)},
            "series": self.index["case"].nunique(),
            "cases": self.index["case"].nunique(),
        }
        write_text(self.flow.with_name("exclusions.csv"), "path,reason,detail\n" + "a/b.dcm,not_dicom,<b>\n" * 4)
        write_json(
            self.flow,
            {"files": len(masks) + 4, "excluded": {"not_dicom": 3, "localizer": 1}, "excluded_total": 4, **counts},
        )

    def _counts(self):
        counts = {}
        for part in ("train", "test"):
            slices = self.index[self.parts == part].groupby("class_name", sort=False)
            counts[part] = {name: {"cases": rows["case"].nunique(), "slices": len(rows)} for name, rows in slices}
        return counts

    def evaluate(self, experiment, skill=1.0, settings=None, runs=None, seed=0, failed=()):
        """Write the evaluation of an experiment whose logits favour the true class by `skill`; `failed` diverged."""
        job = evaluate_job(settings or small_settings(), experiment)
        classes = ClassSet(job.classes, job.classes, job.positive)
        slices = self.index.loc[self.parts == "test", ["row", "case", "label", "origin"]].reset_index(drop=True)
        n_classes = len(job.classes)
        slices["label"] %= n_classes  # of a set with fewer classes
        out, generator, tables, metrics = self.root / "evaluate" / experiment, np.random.default_rng(seed), {}, {}
        n_runs = job.runs if runs is None else runs
        header = header_of(job, slices)
        for run in range(n_runs):
            logits = generator.normal(size=(len(slices), n_classes)) + skill * np.eye(n_classes)[slices["label"]]
            probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            table = slices.assign(**{f"p_{name}": probabilities[:, c] for c, name in enumerate(job.classes)})
            folder = out / f"run-{run:02d}"
            write_table(folder / "predictions.parquet", table.iloc[:0] if run in failed else table)
            header["predictions_sha256"] = sha256_of(folder / "predictions.parquet")
            if run in failed:
                write_json(folder / "metrics.json", header | {"failed": DIVERGED, "metrics": None})
                continue
            tables[run], metrics[run] = table, run_metrics(table, classes)
            write_json(folder / "metrics.json", header | {"metrics": without_nan(metrics[run])})
        training = [
            {"run": run, "weights_sha256": "0" * 64, "record": self.record(run)}
            if run not in failed
            else {"run": run, "weights_sha256": None, "record": self.record(run) | DIVERGED}
            for run in range(n_runs)
        ]
        network = {"parameters": 20_000, "side_parameters": 700, "forward_flops": 1_200_000} if job.model else None
        header.pop("predictions_sha256")
        measured = header | summary_of(job, metrics, tables, n_runs=n_runs)
        write_json(out / "summary.json", measured | {"network": network, "training": training})
        return out

    def fit(self, experiment, settings=None, skill=2.0, part="train"):
        """Write what each run of an evaluated experiment answers for the training part."""
        job = evaluate_job(settings or small_settings(), experiment)
        slices = self.index.loc[self.parts == "train", ["row", "case", "label", "origin"]].reset_index(drop=True)
        generator = np.random.default_rng(9)
        for run in range(job.runs):
            logits = generator.normal(size=(len(slices), 3)) + skill * np.eye(3)[slices["label"]]
            probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            columns = {f"p_{name}": probabilities[:, c] for c, name in enumerate(job.classes)}
            path = self.root / "evaluate" / experiment / f"run-{run:02d}" / "train_predictions.parquet"
            write_table(path, slices.assign(part=part, **columns))

    def train(self, experiment, settings=None, epochs=3, ends=(0.9, 0.999)):
        """Write a training of SAAL whose alpha goes from 0.5 towards one of `ends` by run; no weights."""
        job = evaluate_job(settings or small_settings(), experiment)
        out, generator = self.root / "train" / experiment, np.random.default_rng(3)
        for run in range(job.runs):
            record = self.record(run)
            alphas = np.linspace(0.5, ends[run % len(ends)], epochs + 1)
            states = []
            for alpha in alphas:
                betas = {f"beta_{number}": float(generator.uniform(0.2, 0.8)) for number in range(1, 7)}
                weights = {f"w_{name}": (1 - alpha) / (1 - alpha ** record["counts"][name]) for name in job.classes}
                states.append({"alpha": float(alpha)} | betas | weights)
            rows = pd.DataFrame(states[1:])
            rows.insert(0, "epoch", np.arange(1, epochs + 1))
            rows = rows.assign(loss=1 / rows["epoch"], train_accuracy=0.5 + 0.1 * rows["epoch"])
            write_text(out / f"run-{run:02d}" / "history.csv", rows.to_csv(index=False))
            write_json(out / f"run-{run:02d}" / "run.json", record | {"start": states[0]})
        write_listing(out)
        return out

    def record(self, run=0):
        """What training writes down about a run."""
        return {
            "identity": hashlib.sha256(str(run).encode()).hexdigest(), "seed": run, "settings": {"name": "fake"},
            "images_sha256": sha256_of(self.images / "images.npy"), "split_sha256": sha256_of(self.split),
            "code": "c" * 64, "torch": "2.13.0", "torchvision": "0.28.0", "device": "cpu", "precision": "fp32",
            "initialisation": "ImageNet weights",
            "counts": {"covid19": 9, "normal": 19, "bacterial_pneumonia": 7}, "threads": 2,
            "cases": {"covid19": 4, "normal": 4, "bacterial_pneumonia": 4},
            "determinism": "bit-exact on the same machine",
        }  # fmt: skip


@pytest.fixture
def cohort(tmp_path):
    """Makes a cohort, by name, below the test's own folder."""
    return lambda name="cohort", **change: Cohort(tmp_path / name, **change)


@pytest.fixture(scope="session")
def lasting_cohort(tmp_path_factory):
    """Makes a cohort that several tests share; they leave it as it is."""
    return lambda **change: Cohort(tmp_path_factory.mktemp("cohort") / "cohort", **change)


@pytest.fixture(name="small_settings", scope="session")
def small_settings_fixture():
    """Makes settings."""
    return small_settings
