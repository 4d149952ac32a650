"""`dsn-saal certify`: slices that are learned from without labels are held against what a split tests on."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsn_saal.cli.common import add_settings, read_job, require_inputs
from dsn_saal.cli.split import read_grids
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.image_jobs import CertifyJob, certify_job
from dsn_saal.params.root import Settings

EXAMPLE = """example:
  dsn-saal certify --dataset covid19_diag --unlabelled covid_ct_md \\
      --images results/preprocess/covid19_diag --unlabelled-images results/preprocess/covid_ct_md \\
      --split results/split/covid19_diag/case_wise.parquet \\
      --out results/split/covid19_diag/case_wise.unlabelled.covid_ct_md.certificate.json

Training with these slices demands this certificate, and refuses one that says VIOLATED as it does a split's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal certify`."""
    parser.add_argument("--dataset", help="data set of params.yaml that is tested (needed without --settings)")
    parser.add_argument("--unlabelled", help="data set whose slices are learned from (needed without --settings)")
    parser.add_argument("--images", type=Path, help="folder of the preprocess stage of the tested data set")
    parser.add_argument("--unlabelled-images", type=Path, help="folder of the preprocess stage of the other one")
    parser.add_argument("--split", type=Path, help="split table (parquet) of the tested data set")
    parser.add_argument("--out", type=Path, help="certificate to write")
    add_settings(parser)


def run(args: argparse.Namespace) -> None:
    """Compare and write."""
    require_inputs(args, "images", "unlabelled_images", "split", "out")
    job = read_job(args, CertifyJob, lambda settings: certify_job(settings, *_known(settings, args)))
    from dsn_saal.split.table import read_split
    from dsn_saal.split.unlabelled import certify_unlabelled, tested_rows
    from dsn_saal.storage.atomic import write_json
    from dsn_saal.storage.listing import sha256_of
    from dsn_saal.storage.tables import read_table

    split = read_split(args.split)
    index, unlabelled = (read_table(folder / "index.parquet") for folder in (args.images, args.unlabelled_images))
    tested = index[index["row"].isin(tested_rows(split))]
    certificate = certify_unlabelled(
        tested,
        unlabelled,
        split,
        [
            read_grids(args.images, index)[tested["row"].to_numpy()],
            read_grids(args.unlabelled_images, unlabelled)[unlabelled["row"].to_numpy()],
        ],
        name=job.unlabelled,
        ids_comparable=job.ids_comparable,
        **job.certificate.model_dump(),
    )
    certificate["certified"] = {
        "images_sha256": sha256_of(args.images / "images.npy"),
        "split_sha256": sha256_of(args.split),
        "unlabelled_sha256": sha256_of(args.unlabelled_images / "images.npy"),
    }
    write_json(args.out, certificate)
    found = ", ".join(f"{level} {entry['verdict']}" for level, entry in certificate["levels"].items())
    print(
        f"{len(unlabelled)} slices of {job.unlabelled} against {len(tested)} tested: {certificate['verdict']} ({found})"
    )


def _known(settings: Settings, args: argparse.Namespace) -> tuple[str, str]:
    for option, wanted in (("--dataset", args.dataset), ("--unlabelled", args.unlabelled)):
        if wanted not in settings.datasets:
            raise BadRequest(
                "no such data set" if wanted else f"{option} is missing",
                value=wanted,
                where=option,
                next_step=f"name one of: {', '.join(settings.datasets)}",
            )
    return args.dataset, args.unlabelled
