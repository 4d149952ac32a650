"""The one program, `dsn-saal`: each subcommand is a thin door to one room; heavy imports stay behind the door."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from dsn_saal import __version__
from dsn_saal.domain.errors import DsnSaalError
from dsn_saal.provenance.locks import at_work

COMMANDS = {
    "phantom": "write the phantoms that stand in for a data set",
    "fetch": "bring the files of an archive or a DICOMweb server into a folder",
    "ingest": "read a data set into the manifest",
    "preprocess": "window, lungs, resize",
    "split": "split a data set, certify and explain it",
    "certify": "hold slices that are learned from without labels against what is tested",
    "train": "train all runs of one experiment",
    "evaluate": "predict and measure all runs of one experiment",
    "probe": "look into the networks of one experiment",
    "predict": "let all runs of one experiment answer for their training part",
    "forensics": "say whether each reported number is possible at all",
    "verdicts": "set what was reported beside what was measured",
    "metrics": "collect the primary metrics of every experiment",
    "analyse": "say how sure the numbers are",
    "table": "write one table",
    "figure": "draw one figure",
    "report": "print the paper",
    "html": "write the report that is read on a screen",
    "provenance": "records that travel with the results",
    "params": "print every parameter with its law",
    "doctor": "say what is there, what is missing, how to get it",
}
"""Subcommand and its one-line help; `dsn_saal.cli.<name>` holds `add_arguments(parser)` and `run(args)`."""


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; 0 good, 1 a check failed, 2 a bad request."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="dsn-saal", description="DSN-SAAL: a COVID-19 CT paper regenerated from pixels to PDF."
    )
    parser.add_argument("--version", action="version", version=f"dsn-saal {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        sub = subparsers.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if arguments[:1] == [name]:  # only the wanted door is opened: start-up stays short
            door = import_module(f"dsn_saal.cli.{name}")
            sub.epilog = getattr(door, "EXAMPLE", None)
            door.add_arguments(sub)
            sub.set_defaults(run=door.run)
    args = parser.parse_args(arguments)
    try:
        with at_work():
            return args.run(args) or 0
    except DsnSaalError as error:
        print(f"dsn-saal {args.command}: {error.text()}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        return 1
