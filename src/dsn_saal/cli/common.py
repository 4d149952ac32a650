"""Arguments that several subcommands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Section
from dsn_saal.params.jobs import parse_job
from dsn_saal.params.reading import read_settings
from dsn_saal.params.root import Settings

Job = TypeVar("Job", bound=Section)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--settings JSON` as a rule gives it, or `--params FILE` as a person does."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--settings", metavar="JSON", help="this job's block of params, as the workflow passes it")
    group.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")


def read_job(args: argparse.Namespace, model: type[Job], cut: Callable[[Settings], Job]) -> Job:
    """The job's block: from --settings, else cut out of the params file."""
    if args.settings is not None:
        return parse_job(model, args.settings)
    return cut(read_settings(args.params))


def named_path(text: str) -> tuple[str, Path]:
    """`NAME=PATH` of an argument that is given once for each of several files."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"must be NAME=PATH, not {text!r}")
    return name, Path(path)


def require_inputs(args: argparse.Namespace, *names: str) -> None:
    """Refuse a request that leaves out files which this item reads."""
    missing = [f"--{name.replace('_', '-')}" for name in names if not getattr(args, name)]
    if missing:
        raise BadRequest(
            f"{getattr(args, 'name', args.command)} also reads: {', '.join(missing)}",
            next_step="see the example in --help",
        )


def known_dataset(settings: Settings, args: argparse.Namespace) -> str:
    """The data set of --dataset; raises BadRequest where params name no such one."""
    if args.dataset in settings.datasets:
        return args.dataset
    raise BadRequest(
        "no such data set" if args.dataset else "--dataset is missing",
        value=args.dataset,
        where=args.params,
        next_step=f"name one of: {', '.join(settings.datasets)}",
    )
