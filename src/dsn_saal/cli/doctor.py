"""`dsn-saal doctor`: what is there, what is missing, how to get it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsn_saal.params.reading import read_settings
from dsn_saal.params.root import Settings

if TYPE_CHECKING:
    from dsn_saal.params.datasets import Dataset

EXAMPLE = """example:
  dsn-saal doctor

looks and changes nothing: Python and packages against requirements.lock, processor, memory, disk, accelerator, ImageNet
weights, the sources of every data set of params.yaml"""

Finding = tuple[str, str, str]
"""What was looked at, how it stands ("good", "missing", "wrong", "note"), and in words."""

KIB = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `dsn-saal doctor`."""
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"), help="lock file of the environment")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")


def run(args: argparse.Namespace) -> None:
    """Look at everything and print it; what is missing is no error of this command."""
    settings = read_settings(args.params)
    found = {
        "environment": [_python(), *_packages(args.lock)],
        "machine": [_processors(), _memory(), _disk(), _accelerator()],
        "weights": _weights(settings),
        "data sets": [_source(name, dataset) for name, dataset in settings.datasets.items()],
    }
    if args.json:
        import json

        print(json.dumps(found, indent=2))
        return
    for heading, findings in found.items():
        print(heading)
        for what, state, words in findings:
            print(f"  {state:8} {what:22} {words}")


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    words = platform.python_version() + ("" if good else ", 3.11 or newer is needed")
    return "python", "good" if good else "wrong", words


def _packages(lock: Path) -> list[Finding]:
    """Installed versions against those pins of the lock that are for this system."""
    from importlib import metadata

    from packaging.requirements import Requirement

    if not lock.is_file():
        return [("packages", "missing", f"there is no {lock}: run from the repository's root")]
    lines = lock.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if "==" in line.partition(";")[0]]
    wrong = []
    for pin in pins:
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        try:
            installed = metadata.version(pin.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{pin.name} is missing")
            continue
        if installed not in pin.specifier:
            wrong.append(f"{pin.name} {installed}, the lock has {pin.specifier}")
    if wrong:
        return [("packages", "wrong", f"{len(wrong)} differ from the lock: {'; '.join(wrong[:5])}; run make env")]
    return [("packages", "good", f"as {lock} pins them")]


def _processors() -> Finding:
    return "processors", "good", f"{os.cpu_count() or 1}, {platform.machine()}"


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "memory", "note", "unknown on this system"
    state = "good" if total >= 6 * KIB**3 else "note"
    return "memory", state, f"{total / KIB**3:.0f} GiB; the demo needs less than 6"


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / KIB**3
    return "disk", "good" if free > 10 else "note", f"{free:.0f} GiB free here"


def _accelerator() -> Finding:
    """A GPU as the driver's own tool names it: torch need not be loaded for that."""
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "accelerator", "note", "none: scale paper would take weeks, scale demo takes minutes"
    listed = subprocess.run(
        [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    names = [line.strip() for line in listed.stdout.splitlines() if line.strip()]
    return "accelerator", "good" if names else "wrong", "; ".join(names) or "nvidia-smi names none"


def _weights(settings: Settings) -> list[Finding]:
    checkpoints = [
        _checkpoint(name, model.checkpoint.path)
        for name, model in settings.models.items()
        if model.checkpoint is not None
    ]
    if settings.network.weights == "none":
        return [("ImageNet", "note", f"not used at scale {settings.scale}"), *checkpoints]
    from dsn_saal.models.pretrained import FOLDER_VARIABLE, IMAGENET, weights_folder

    folder = weights_folder()
    wanted = {
        model.backbone: IMAGENET[model.backbone]
        for model in settings.models.values()
        if model.backbone in IMAGENET and model.checkpoint is None
    }
    findings = checkpoints
    for backbone, file in wanted.items():
        there = (folder / file.name).is_file()
        advice = f"put {file.name} into {folder} (or name its folder in {FOLDER_VARIABLE})"
        words = str(folder / file.name) if there else advice
        findings.append((backbone, "good" if there else "missing", words))
    return findings


def _checkpoint(model: str, path: str) -> Finding:
    there = Path(path).is_file()
    return f"{model} checkpoint", "good" if there else "missing", path if there else f"there is no {path}"


def _source(name: str, dataset: Dataset) -> Finding:
    """Whether a data set's source is there; files are counted, none is opened."""
    source = Path(dataset.source)
    how = f"docs/datasets.md says how to get {dataset.title}"
    if dataset.is_phantom:
        drawn = "drawn" if source.is_dir() else "drawn when the workflow runs"
        return name, "note", f"phantoms stand in, {drawn}; {how}"
    if not source.exists():
        return name, "missing", f"there is no {source}; {how}"
    if source.is_file():
        return name, "good", f"{source}, {'an archive' if dataset.is_fetched else 'a DICOMDIR'}"
    count, wanted = _count(dataset, source), _published(dataset)
    unit = {"covid_ct_md": "patients", "dicom": "files"}.get(dataset.reader, "pictures")
    if wanted and count != wanted:
        allowed = "" if dataset.counts == "published" else "; counts: any lets it pass"
        return name, "wrong" if not allowed else "note", f"{count} of {wanted} published {unit} in {source}{allowed}"
    return name, "good", f"{count} {unit} in {source}"


def _published(dataset: Dataset) -> int | None:
    """Published number of pictures, or of patients of a set in DICOM."""
    from dsn_saal.ingest.sets import published

    lists: dict[str, Any] = {"covidx_ct": published.COVIDX_CT, "covid_ct": published.COVID_CT}
    if dataset.reader in lists:
        return sum(sum(counts.values()) for counts in lists[dataset.reader].values())
    flat = {"sars_cov_2": published.SARS_COV_2, "covid_ct_md": published.COVID_CT_MD}
    return sum(flat[dataset.reader].values()) if dataset.reader in flat else None


def _count(dataset: Dataset, source: Path) -> int:
    if dataset.reader == "covid_ct_md":
        return sum(folder.is_dir() for mark in source.iterdir() if mark.is_dir() for folder in mark.iterdir())
    suffixes = (".png", ".jpg", ".jpeg")
    pictures = dataset.reader != "dicom"
    files = (path for _, _, names in os.walk(source) for path in names)
    return sum(path.lower().endswith(suffixes) if pictures else True for path in files)
