"""`dsn-saal ingest`: read a source into the manifest, list its tag names, or find files by their hashed paths."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsn_saal.cli.common import add_settings, known_dataset, read_job
from dsn_saal.cli.progress import tracked
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.datasets import ARCHIVES
from dsn_saal.params.image_jobs import IngestJob, ingest_job
from dsn_saal.params.root import Settings

if TYPE_CHECKING:
    from dsn_saal.ingest.dicom.reader import DicomReader
    from dsn_saal.ingest.source import Reader

EXAMPLE = """examples:
  dsn-saal ingest --dataset covid19_diag --source data/raw/phantom/covid19_diag/dicom --out results/ingest/covid19_diag
  dsn-saal ingest --report --source /media/cd/DICOMDIR
  dsn-saal ingest --locate 9f86d081884c7d65 --dataset my_hospital --source /data/my_hospital

The manifest holds keyed hashes in place of identifiers and of the paths of clinical files; --locate prints the path
behind a hash, to your own terminal only."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal ingest`."""
    add_settings(parser)
    parser.add_argument("--dataset", metavar="NAME", help="data set of params.yaml that names reader and classes")
    parser.add_argument(
        "--source", metavar="PATH", type=Path, required=True, help="folder of the files, or a DICOMDIR; only read"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the results")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=os.cpu_count() or 1, help="processes (default: CPUs)"
    )
    parser.add_argument("--unlabelled", action="store_true", help="take in files outside the class folders, label -1")
    parser.add_argument(
        "--follow-links", action="store_true", help="read links to files outside the source (a cache of type symlink)"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--report", action="store_true", help="instead: print which tags the DICOM files hold, names only"
    )
    instead.add_argument(
        "--locate", metavar="HASH", nargs="+", help="instead: print the real path of each hashed one (without its #)"
    )


def run(args: argparse.Namespace) -> None:
    """Read the source, write the manifest, say what was found."""
    _require_local(args)
    if args.report:
        return _report(args)
    job = _job(args)
    if args.locate:
        return _locate(args, job)
    if args.out is None:
        raise BadRequest("--out is missing", next_step="name the folder of the results")
    from dsn_saal.ingest.dicom.reader import CLINICAL
    from dsn_saal.ingest.identity import key_path
    from dsn_saal.ingest.stage import ingest_tree

    own_key = job.ingest.key_file is None and not key_path(None).exists()
    label = "reading DICOM" if job.reader in ("dicom", "covid_ct_md") else "reading pictures"
    counts = ingest_tree(
        _reader(args, job), args.out, workers=args.workers, progress=tracked(label), follow_links=args.follow_links
    )
    hashed = not job.published and job.ingest.paths == "hashed"
    if job.reader == "dicom" and (hashed or CLINICAL in counts["origins"]):
        made = "made just now; keep it, hashes change without it" if own_key else "outside the repository"
        print(f"identities are hashed with the secret in {key_path(job.ingest.key_file)} ({made})", file=sys.stderr)
    left_out = ", ".join(f"{count} {reason}" for reason, count in counts["excluded"].items()) or "none"
    print(
        f"{counts['files']} files: {counts['slices']} slices, {counts['series']} series, {counts['cases']} cases; "
        f"left out: {left_out}"
    )
    for line in _told(counts["findings"]):
        print(line)


def _require_local(args: argparse.Namespace) -> None:
    """Refuse what `dsn-saal fetch` must bring first; an address is not quoted, it may hold a password."""
    if args.workers < 1:
        raise BadRequest("--workers must be at least 1", value=args.workers)
    fetch = "bring its files into a folder with `dsn-saal fetch`, then name that folder"
    if _ADDRESS.match(str(args.source)):
        raise BadRequest("--source is an address", next_step=fetch)
    if args.source.name.lower().endswith(ARCHIVES) and not args.source.is_dir():
        raise BadRequest("--source is an archive", value=args.source, next_step=fetch)


def _job(args: argparse.Namespace) -> IngestJob:
    def cut(settings: Settings) -> IngestJob:
        name = known_dataset(settings, args)
        job, dataset = ingest_job(settings, name), settings.datasets[name]
        # That the phantoms of params hold no identities says nothing of another folder.
        other = dataset.is_phantom and args.source.absolute() != Path(dataset.source).absolute()
        return job.model_copy(update={"published": False}) if other and dataset.reader == "dicom" else job

    return read_job(args, IngestJob, cut)


def _reader(args: argparse.Namespace, job: IngestJob) -> Reader:
    if job.reader == "dicom":
        return _dicom_reader(args, job)
    from dsn_saal.ingest.sets.registry import set_reader

    return set_reader(
        job.reader,
        root=args.source,
        folders=job.folders,
        slices=job.slices,
        counts=job.counts,
        air_hu=job.ingest.air_hu,
    )


def _dicom_reader(args: argparse.Namespace, job: IngestJob) -> DicomReader:
    from dsn_saal.ingest.dicom.dicomdir import source_root
    from dsn_saal.ingest.dicom.reader import DicomReader
    from dsn_saal.ingest.dicom.study import SeriesRule

    root, dicomdir = source_root(args.source)
    return DicomReader(
        root=root,
        folders=job.folders,
        case_id=job.ingest.case_id,
        key_file=job.ingest.key_file,
        air_hu=job.ingest.air_hu,
        derived=job.ingest.derived,
        paths="plain" if job.published else job.ingest.paths,
        series=SeriesRule(**job.ingest.series.model_dump()),
        unlabelled=args.unlabelled,
        dicomdir=dicomdir,
        published=job.published,
    )


def _report(args: argparse.Namespace) -> None:
    """Print tag names; needs no params."""
    from dsn_saal.ingest.dicom.dicomdir import listed_files, source_root
    from dsn_saal.ingest.report import tag_report
    from dsn_saal.ingest.tree import files_below

    root, dicomdir = source_root(args.source)
    if dicomdir is None:
        entries = files_below(root, follow_links=args.follow_links)
    else:
        entries = listed_files(root, dicomdir, follow_links=args.follow_links)
    report = tag_report(root, entries, workers=args.workers, progress=tracked("reading tag names"))
    print("\n".join(report.lines()))


def _locate(args: argparse.Namespace, job: IngestJob) -> None:
    """Print hashed and real path, one file a line; raises CheckFailed where one is not found."""
    from dsn_saal.ingest.identity import clinical_key, key_path
    from dsn_saal.ingest.places import HASHED, matching

    wanted = [HASHED + text.lstrip(HASHED) for text in args.locate]
    reader = _dicom_reader(args, job)
    paths = (path for path, _ in reader.files(follow_links=True))
    found = matching(paths, wanted, clinical_key(key_path(job.ingest.key_file), make=False))
    for hashed, path in found.items():
        print(f"{hashed}\t{path!r}")  # a name may be no UTF-8, or hold a line's end
    missing = [hashed for hashed in wanted if hashed not in found]
    if missing:
        raise CheckFailed(
            "no file of the source has this hash",
            value=", ".join(missing),
            where=reader.root,
            next_step="name the source it was ingested from, and the data set whose key_file it was ingested with",
        )


def _told(findings: Mapping[str, Any]) -> Iterator[str]:
    """What the reader found out, a short line for each kind: numbers as they are, lists by their length."""
    for kind, found in findings.items():
        if isinstance(found, Mapping) and found:
            yield f"{kind}: {', '.join(_short(name, value) for name, value in found.items())}"
        elif found and not isinstance(found, Mapping):
            yield f"{kind}: {len(found) if isinstance(found, (list, tuple)) else found}"


def _short(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{name} ({', '.join(_short(*entry) for entry in value.items())})"
    return f"{len(value) if isinstance(value, (list, tuple)) else value} {name}"
