"""Files that ingest, split and evaluate leave of the public data sets, for experiments that nobody trained."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from dsn_saal.domain.classes import ClassSet
from dsn_saal.evaluate.design import Design
from dsn_saal.evaluate.summary import header_of, run_metrics, summary_of
from dsn_saal.params.jobs import ClassicalJob, evaluate_job, train_job
from dsn_saal.params.protocols import Folds
from dsn_saal.storage.atomic import write_json

PER_CLASS = 20


class FakeSets:
    """Flows and certificates of every data set, and a summary of each experiment on a public one, below `root`."""

    def __init__(self, root, settings, origin="phantom"):
        self.root, self.settings, self.origin = root, settings, origin
        self.flows, self.certificates = {}, {}
        for name, dataset in settings.datasets.items():
            self.flows[name] = root / name / "flow.json"
            counts = {key: {"cases": 5, "series": 5, "slices": PER_CLASS} for key in dataset.classes}
            write_json(self.flows[name], {"origins": {origin: 9}, "classes": counts, "cases": 5, "excluded": {}})
            parts = {part: {key: {"cases": 4, "slices": n} for key in dataset.classes} for part, n in
                     (("train", 14), ("test", 6))}  # fmt: skip
            for protocol in dataset.protocols:
                self.certificates[f"{name}/{protocol}"] = root / name / f"{protocol}.certificate.json"
                self.write_certificate(name, protocol, counts=parts)

    def write_certificate(self, name, protocol, counts=None, verdict="PROVEN", **found):
        levels = {level: {"verdict": "VIOLATED", "found": number, "findings": []} for level, number in found.items()}
        levels |= {"case": {"verdict": "PROVEN", "found": 0, "findings": []}}
        write_json(self.certificates[f"{name}/{protocol}"], {"verdict": verdict, "levels": levels, "counts": counts})

    def slices_of(self, experiment):
        chosen = self.settings.experiments[experiment]
        n_classes = len(self.settings.datasets[chosen.dataset].classes)
        labels = np.repeat(np.arange(n_classes), PER_CLASS)
        cases = "" if chosen.dataset == "sars_cov_2" else [f"c{label}-{n % 4}" for n, label in enumerate(labels)]
        rows = np.arange(len(labels))
        return pd.DataFrame({"row": rows, "case": cases, "label": labels, "origin": self.origin})

    def summary(self, experiment, skill=1.0, seed=0):
        """Write an evaluation whose logits favour the true class by `skill`; on folds run r tests every fifth slice."""
        job = evaluate_job(self.settings, experiment)
        classes, slices = ClassSet(job.classes, job.classes, job.positive), self.slices_of(experiment)
        protocol = self.settings.protocols[self.settings.experiments[experiment].protocol]
        folds = protocol.folds if isinstance(protocol, Folds) else 1
        unit = "case" if folds == 1 else protocol.unit
        units = slices["row"].astype(str) if unit == "image" else (slices["row"] // 4).astype(str)
        design = Design("nothing", 1, "case") if folds == 1 else Design("fold", folds, unit, units)
        generator, tables, metrics, training = np.random.default_rng(seed), {}, {}, []
        classical = isinstance(train_job(self.settings, experiment), ClassicalJob)
        for run in range(job.runs):
            part = slices[slices["row"] % folds == run % folds].reset_index(drop=True)
            logits = generator.normal(size=(len(part), len(classes))) + skill * np.eye(len(classes))[part["label"]]
            shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            tables[run] = part.assign(**{f"p_{name}": shares[:, at] for at, name in enumerate(job.classes)})
            metrics[run] = run_metrics(tables[run], classes)
            record = {"identity": hashlib.sha256(str(run).encode()).hexdigest(), "seed": run, "device": "cpu"}
            record |= {"precision": "float64" if classical else "fp32", "counts": dict.fromkeys(job.classes, 9)}
            record |= {"initialisation": "features, not pixels" if classical else "random initialisation"}
            training.append({"run": run, "weights_sha256": None if classical else "0" * 64, "record": record})
        measured = header_of(job, slices) | summary_of(job, metrics, tables, n_runs=job.runs, design=design)
        path = self.root / experiment / "summary.json"
        write_json(path, measured | {"network": None, "training": training})
        return path

    def proofs_of(self, table):
        """Certificate by protocol of the splits that a table shows."""
        shown = [self.settings.experiments[name] for name in self.settings.report.public_tables[table]]
        return {one.protocol: self.certificates[f"{one.dataset}/{one.protocol}"] for one in shown}

    def summaries_of(self, table):
        """A summary of every row of a table, the later the better."""
        names = self.settings.report.public_tables[table]
        return {name: self.summary(name, skill=1 + n / 2, seed=n) for n, name in enumerate(names)}
