"""`dsn-saal fetch`: bring the files of an archive or a DICOMweb server into a folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dsn_saal.cli.common import add_settings, known_dataset, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.image_jobs import FetchJob, fetch_job
from dsn_saal.params.root import Settings

if TYPE_CHECKING:
    from dsn_saal.ingest.fetch.dicomweb import Fetched

EXAMPLE = """examples:
  dsn-saal fetch --dataset covid19_diag --source /data/covid.tar.gz --out data/fetched/covid19_diag
  dsn-saal fetch --dataset covid19_diag --source https://pacs.example:8443/dicom-web --list /secure/studies.csv \\
      --out data/fetched/covid19_diag

The folder belongs to this command: files/ for the files, refused.csv for what was not brought, SHA256SUMS last of all.
The list has the columns class,study_uid (or class,patient_id or class,accession_number) and stays outside the
repository. Credentials: DSN_SAAL_DICOMWEB_USER and DSN_SAAL_DICOMWEB_PASSWORD, or DSN_SAAL_DICOMWEB_TOKEN, or netrc."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal fetch`."""
    add_settings(parser)
    parser.add_argument(
        "--dataset", metavar="NAME", required=True, help="data set of params.yaml that names the classes"
    )
    parser.add_argument(
        "--source", metavar="SOURCE", required=True, help="archive (zip, tar, tar.gz, .bz2, .xz), or DICOMweb address"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to fill")
    parser.add_argument(
        "--list", metavar="FILE", type=Path, help="studies to fetch (default: the variable DSN_SAAL_DICOMWEB_LIST)"
    )
    parser.add_argument("--ca-file", metavar="FILE", type=Path, help="certificates to trust, in place of the system's")


def run(args: argparse.Namespace) -> None:
    """Bring the files, say how many and what was refused."""

    def cut(settings: Settings) -> FetchJob:
        return fetch_job(settings, known_dataset(settings, args))

    job = read_job(args, FetchJob, cut)
    if "://" in args.source:
        fetched = _from_server(args, job)
        print(
            f"{fetched.studies} studies: {fetched.series} CT series, {fetched.instances} files, "
            f"{fetched.new} of them new; not brought: {_said(fetched.refused)}"
        )
        return
    from dsn_saal.ingest.fetch.archive import unpack

    written, refused = unpack(Path(args.source), args.out)
    print(f"{written} files; noted in refused.csv: {_said(refused)}")


def _from_server(args: argparse.Namespace, job: FetchJob) -> Fetched:
    from dsn_saal.ingest.fetch.address import access, is_open_line
    from dsn_saal.ingest.fetch.dicomweb import fetch_studies
    from dsn_saal.ingest.fetch.wanted import LIST_VARIABLE, read_list
    from dsn_saal.ingest.fetch.web import Patience, Server
    from dsn_saal.ingest.identity import clinical_key, key_path

    reached = access(args.source, args.ca_file)
    named = args.list or os.environ.get(LIST_VARIABLE)
    if not named:
        raise BadRequest(
            "a DICOMweb server needs a list of what to fetch",
            next_step=f"name a CSV with the columns class,study_uid by --list or {LIST_VARIABLE}",
        )
    wanted = read_list(Path(named), tuple(job.folders))
    if is_open_line(reached.address):
        print("http:// is not encrypted: images and credentials can be read on their way", file=sys.stderr)
    return fetch_studies(
        Server(reached, Patience()),
        wanted,
        args.out,
        folders=job.folders,
        key=clinical_key(key_path(job.key_file), make=job.key_file is None),
        progress=tracked("fetching series"),
    )


def _said(refused: dict[str, int]) -> str:
    return ", ".join(f"{count} {why}" for why, count in refused.items()) or "nothing"
