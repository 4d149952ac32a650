"""What opens behind a number: its formula, the runs it is of, their files with digests, how to make it again."""

from __future__ import annotations

from typing import Any

from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.params.html_job import HtmlJob
from dsn_saal.report.html.sources import Sources
from dsn_saal.statistics.definitions import definition
from dsn_saal.tables.results import CONVENTIONS, FAMILIES, RATES, convention_title

Json = dict[str, Any]

KINDS = {
    "mean_sd": "Mean ± standard deviation over the runs below; a run's value is the metric of its own predictions.",
    "interval": "Interval over test cases: whole cases are drawn again and again within their class, the metric is "
    "taken anew from the slices drawn, averaged over runs, and the tails are cut off.",
    "change": "Mean ± standard deviation over runs; in brackets the mean difference to the other experiment, paired by "
    "run.",
    "difference": "Difference to the other experiment, run by run with the same seed: mean ± standard deviation, and "
    "in how many runs it is higher.",
    "network": "A size of the network, counted from its layers.",
    "training": "What the runs were trained on, from the smallest to the largest number.",
    "learned": "What training learnt, from the history.csv of each run: mean, with the smallest and largest value.",
    "run": "One run: what it was made of, and the digests of what it made.",
}
"""What kind of number it is, in words: the kinds of dsn_saal.tables.cells, and a run."""

QUANTITIES = {
    "parameters": "Parameters",
    "side_parameters": "Parameters of the side classifiers",
    "forward_flops": "Operations of a forward pass of one image",
    "counts": "Training slices",
    "cases": "Training cases",
    "alpha_start": "alpha at the start",
    "alpha_end": "alpha at the end",
    "betas_end": "betas at the end",
    "mean_weight_end": "Mean class weight at the end",
    "weight_ratio_end": "Largest by smallest class weight at the end",
}


LIBRARIES = ("torch", "sklearn", "numpy")
"""Libraries that a run may have been trained with."""


def explained(job: HtmlJob, sources: Sources) -> Json:
    """Everything that the page needs to explain any number: kinds, metrics and experiments."""
    names = sorted({name for summary in sources.summaries.values() for name in summary["metrics"]})
    known = [name for name in names if _is_of(job, name)]
    return {
        "kinds": KINDS,
        "quantities": QUANTITIES,
        "classes": {name: title for held in job.datasets.values() for name, title in held.classes.items()},
        "metrics": {name: _metric(job, name) for name in known},
        "experiments": {name: _experiment(job, sources, name) for name in job.experiments},
    }


def _classes(job: HtmlJob) -> dict[str, str]:
    return {name: title for held in job.datasets.values() for name, title in held.classes.items()}


def _is_of(job: HtmlJob, name: str) -> bool:
    convention = name.partition(".")[2]
    return convention in _classes(job) or convention in {
        "macro",
        *(one for held in CONVENTIONS.values() for one in held),
    }


def metric_title(job: HtmlJob, name: str) -> str:
    """A metric's name as a head prints it: family, then convention or class."""
    family, _, kind = name.partition(".")
    head = {**FAMILIES, **RATES}[family]
    classes = _classes(job)
    title = classes[kind] if kind in classes else "macro" if kind == "macro" else convention_title(job.paper, kind)
    return f"{head} {title}"


def _metric(job: HtmlJob, name: str) -> Json:
    held = definition(name, _classes(job), job.paper.positive)
    return {"title": metric_title(job, name), "words": held.words, "symbols": held.symbols}


def _experiment(job: HtmlJob, sources: Sources, name: str) -> Json:
    chosen, summary = job.experiments[name], sources.summaries[name]
    records, seen = [entry["record"] for entry in summary["training"]], PIXEL_FILES[chosen.pixels]
    return {
        "title": chosen.title,
        "made_of": {
            "data set": job.datasets[chosen.dataset].title,
            "split": chosen.protocol,
            "network": chosen.model,
            "loss": chosen.loss,
            "method": chosen.method,
            "labels": chosen.labels.replace("_", " "),
            "test part": f"{summary['n_slices']} slices of {summary['n_cases']} cases, {summary['origin']} data",
        },
        "files": [
            [f"results/evaluate/{name}/summary.json", sources.summary_sha256[name]],
            *(
                [f"results/split/{chosen.dataset}/{chosen.protocol}.parquet", one]
                for one in _one(records, "split_sha256")
            ),
            *([f"results/preprocess/{chosen.dataset}/{seen}", one] for one in _one(records, "images_sha256")),
            *(["code that trained", one] for one in _one(records, "code")),
            ["params of the training, its block as JSON", chosen.settings_sha256],
        ],
        "ddof": summary["ddof"],
        "interval": summary["interval"],
        "finished": summary["finished"],
        "metrics": {
            metric: [held["mean"], held["sd"], held["values"], held["interval"]]
            for metric, held in summary["metrics"].items()
        },
        "network": summary["network"],
        "runs": [_run(sources, name, entry, entry["run"] in summary["finished"]) for entry in summary["training"]],
        "again": [
            f"snakemake --cores all --forcerun evaluate -- results/evaluate/{name}/summary.json",
            f"snakemake --cores all --forcerun train -- results/evaluate/{name}/summary.json",
        ],
    }


def _one(records: list[Json], key: str) -> list[str]:
    return sorted({record[key] for record in records})


def _run(sources: Sources, name: str, entry: Json, finished: bool) -> Json:
    record, number = entry["record"], entry["run"]
    asked = record.get("voting_epochs", ())
    return {
        "run": number,
        "seed": record["seed"],
        "state": "finished" if finished else f"diverged in epoch {record['epoch']}",
        "epoch": f"{asked[0]} to {asked[-1]}" if asked else record.get("selected_epoch"),
        "machine": f"{record['device']}, {record['precision']}",
        "libraries": ", ".join(f"{library} {record[library]}" for library in LIBRARIES if library in record),
        "determinism": record["determinism"],
        "identity": record["identity"],
        "weights": entry["weights_sha256"],
        "earlier_weights": entry.get("earlier_weights_sha256", {}),
        "predictions": sources.predictions_sha256(name, number),
        "counts": record["counts"],
        "cases": record["cases"],
    }
