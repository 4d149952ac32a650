"""Parameters of every network of params.yaml at the published width, and what deep supervision adds, beside the paper.

The paper bounds what deep supervision adds; the bound is read from the file of reported numbers. Networks are built for
the classes of the paper's own data set and without values, so that this takes seconds. Exit code 1 where a network
with deep supervision adds more to its plain twin than the bound.

    python benchmarks/parameters.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.models import build_network
from dsn_saal.params.jobs import TrainJob, network_arguments, train_job
from dsn_saal.params.reading import resolve
from dsn_saal.params.reported import Claim, read_reported
from dsn_saal.params.root import Settings
from dsn_saal.statistics.printed import MISSING, count

UNITS = {"million": 1_000_000, "count": 1}
PUBLISHED = {"width": 1.0}
"""Share of the published channel numbers; everything else is as params.yaml says at scale paper."""


def main(arguments: list[str] | None = None) -> int:
    """Count and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    args = parser.parse_args(arguments)
    settings = resolve(yaml.safe_load(args.params.read_text(encoding="utf-8")) | {"scale": "paper"}, where="--params")
    claim = claim_of(settings)
    bound = claim.value * UNITS[claim.unit]
    print(f"| network | parameters | deep supervision adds | the paper: {claim.statement} |")
    print("|---|---:|---:|---|")
    over = []
    for name in settings.models:
        total, added = counted(arguments_of(settings, name))
        verdict = MISSING if added is None else "within" if added <= bound else "MORE"
        over += [name] if verdict == "MORE" else []
        print(f"| {name} | {count(total)} | {MISSING if added is None else count(added)} | {verdict} |")
    return int(bool(over))


def claim_of(settings: Settings) -> Claim:
    """The paper's bound on what deep supervision adds.

    Raises:
        CheckFailed: where the file of reported numbers has none.
    """
    path = Path(settings.report.reported)
    claims = [claim for claim in read_reported(path).claims if claim.metrics == ("params_added",)]
    if len(claims) != 1 or not isinstance(claims[0].value, float) or claims[0].unit not in UNITS:
        raise CheckFailed("there must be one claim with a bound on params_added", value=len(claims), where=path)
    return claims[0]


def arguments_of(settings: Settings, model: str) -> dict[str, Any]:
    """A model as models.build_network takes it, in the place of the first network that params.yaml trains."""
    name, experiment = next((name, one) for name, one in settings.experiments.items() if one.model is not None)
    moved = settings.model_copy(update={"experiments": {name: experiment.model_copy(update={"model": model})}})
    job = train_job(moved, name)
    if not isinstance(job, TrainJob):
        raise CheckFailed("the first experiment with a model trains no network", value=name, where="experiments")
    return network_arguments(job) | PUBLISHED


def counted(arguments: dict[str, Any]) -> tuple[int, int | None]:
    """Parameters of a network, and how many more than its plain twin's; None where it is plain itself."""
    total = size_of(arguments)
    return total, None if arguments["side"] is None else total - size_of(arguments | {"side": None})


def size_of(arguments: dict[str, Any]) -> int:
    """Parameters of a network that is built without values."""
    return sum(parameter.numel() for parameter in build_network(**arguments).parameters())


if __name__ == "__main__":
    sys.exit(main())
