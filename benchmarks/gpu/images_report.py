"""The text of a table of runs on real images, from what its .json holds and from nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from images_adaptation import adaptation_table

from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.statistics import printed

HEADS = {"accuracy": "ACC", "f1": "F1", "auc": "AUC", "g_mean": "G-mean"}

Json = dict[str, Any]


def told(content: Json) -> str:
    """The table with everything that a reader must know beside it, from what OUT.json holds."""
    # A file of JSON here sorts its keys: what comes first is said by lists.
    content = content | {"experiments": {name: content["experiments"][name] for name in content["order"]}}
    first = next(iter(content["experiments"].values()))
    mark = f" ({PHANTOM_MARK})" if first["origin"] == "phantom" else ""
    parts = content["parts"]
    lines = [
        f"# {content['dataset']}, trained from random initialisation{mark}", "",
        "**Random initialisation: comparable among these rows only.** No pretrained weights were used, so no number",
        "here may be set beside one that the paper reports.", "",
        f"* {', '.join(content['device'])}; torch {content['torch']}; {content['precision']}; "
        f"{', '.join(content['date'])}.",
        f"* {content['protocol']} split: {parts.get('train', 0)} train, {parts.get('test', 0)} test; the "
        f"{parts.get('validation', 0)} of the validation list are unused: the last epoch is tested, nothing is chosen.",
        f"* {content['image_size']} px; {regimens(content['experiments'])}.",
        f"* Packed at commit {content['packed_at_commit']}; code of the runs {content['code'][:16]}.",
        *(f"* `{command}`" for command in content["command"]), "", *table(content), "",
        *adaptation_table(content), *certificate(content["certificate"], content["class_titles"]),
    ]  # fmt: skip
    for name, why in content["not_trained"]:
        lines += ["", f"Not trained: {name}: " + " ".join((why or "not tried yet").split()) + "."]
    if content["note"]:
        lines += ["", f"What its author says of it: {content['note']}"]
    return "\n".join(lines) + "\n"


def table(content: Json) -> list[str]:
    """Mean ± sd over runs; the interval is over test cases."""
    first = next(iter(content["experiments"].values()))
    names = {head: first["primary"][family] for family, head in HEADS.items()} | {"macro recall": "sensitivity.macro"}
    level = f"{100 * first['interval']['level']:g} %"
    heads = ["experiment", "runs", *names, f"ACC {level} over cases", "training ACC", "s/run"]
    rows = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for experiment in content["experiments"].values():
        metrics = experiment["metrics"]
        failed = f" ({experiment['n_failed']} diverged)" if experiment["n_failed"] else ""
        cells = [experiment["title"], f"{experiment['n_runs']}{failed}"]
        cells += [printed.mean_and_sd(metrics[name]["mean"], metrics[name]["sd"]) for name in names.values()]
        cells += [printed.interval(metrics[names["ACC"]]["interval"])]
        cells += [printed.metric(float(np.mean(experiment["train_accuracy"])))]
        cells += [printed.rate(float(np.median(experiment["seconds"])))]
        rows.append("| " + " | ".join(cells) + " |")
    conventions = ", ".join(f"{head} {name}" for head, name in names.items())
    return [*rows, "", f"Mean ± sd (n - {first['ddof']}) over runs; {conventions}."]


def regimens(experiments: Json) -> str:
    """The regimens in short; what differs between experiments is told for each."""
    said: dict[str, list[str]] = {}
    for name, experiment in experiments.items():
        regimen = experiment["recipe"]["regimen"]
        short = f"{regimen['epochs']} epochs, batch {regimen['batch_size']}, {regimen['optimizer']['kind']}, "
        short += f"rate {regimen['lr']:g} ({rate_of(regimen['rate'])}), weight decay {regimen['weight_decay']:g}, "
        short += f"width {experiment['recipe']['network']['width']:g}"
        said.setdefault(short, []).append(name)
    return next(iter(said)) if len(said) == 1 else "; ".join(f"{', '.join(n)}: {short}" for short, n in said.items())


def rate_of(rate: Json) -> str:
    """How the rate changes."""
    if rate["kind"] != "steps":
        return str(rate["kind"])
    return f"times {rate['gamma']:g} after epochs {', '.join(map(str, rate['milestones']))}"


def certificate(content: Json, titles: list[str]) -> list[str]:
    """What the certificate of the split says against it."""
    lines = [f"The split's certificate: {content['verdict']}."]
    for level, names in content["findings"].items():
        lines.append(f"* {level} level: {'; '.join(name.removeprefix(f'{level}: ') for name in names)}.")
    for conflict in content["label_conflicts"]:
        labels = " and ".join(titles[label] for label in conflict["labels"])
        lines.append(f"* **One picture with both labels**: {conflict['name']}, labelled {labels}.")
    untold = content["label_conflicts_total"] - len(content["label_conflicts"])
    return [*lines, f"* {untold} more pictures with several labels."] if untold else lines
