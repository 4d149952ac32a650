"""`dsn-saal provenance`: carry a stage's records beside its results, and remove what no job makes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLE = """examples:
  dsn-saal provenance export --out provenance/train.json results/train
  dsn-saal provenance tidy --manifest results/split/MANIFEST results/split/covid19_diag/case_wise.parquet

export is what dvc.yaml calls after each stage; tidy is what the workflow calls when all jobs of a stage are done"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal provenance`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="write what every output of a stage was made from")
    export.add_argument("--out", type=Path, required=True, metavar="JSON", help="file to write")
    export.add_argument("roots", type=Path, nargs="+", metavar="ROOT", help="folders and files of the stage")
    tidy = actions.add_parser("tidy", help="remove from a folder what belongs to no job, and list what does")
    tidy.add_argument("--manifest", type=Path, required=True, help="list to write, in the folder to tidy")
    tidy.add_argument("outputs", type=Path, nargs="*", metavar="OUTPUT", help="what the jobs declare")


def run(args: argparse.Namespace) -> None:
    """Export or tidy."""
    if args.action == "export":
        _export(args)
    else:
        from dsn_saal.provenance.belongings import tidy

        for name in tidy(args.manifest, args.outputs):
            print(f"removed {args.manifest.parent / name}: no job makes it", file=sys.stderr)


def _export(args: argparse.Namespace) -> None:
    from dsn_saal.provenance.glue import SNAKEMAKE
    from dsn_saal.provenance.hashes import HashCache
    from dsn_saal.provenance.locks import STATE
    from dsn_saal.provenance.records import Records, require_known_snakemake
    from dsn_saal.provenance.travel import export_facts, remember

    require_known_snakemake()
    hashes = HashCache(STATE / "hashes.json")
    count = export_facts(args.roots, args.out, Records(SNAKEMAKE), hashes)
    hashes.save()
    remember([args.out], STATE)
    print(f"{args.out}: {count} outputs")
