"""What belongs in a stage's folder: everything that a job of the present workflow makes, and nothing else.

DVC keeps the folder of a stage between runs, and with it the files of an experiment or a run that params no longer
name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dsn_saal.domain.errors import BadRequest
from dsn_saal.storage.atomic import write_text
from dsn_saal.storage.listing import LISTING, read_listing

MANIFEST = "MANIFEST"
"""Name of the list, inside the folder it speaks for: one path a line, relative to it."""


def tidy(manifest: Path, outputs: Iterable[Path]) -> list[str]:
    """Remove from a folder what belongs to no job, then write its MANIFEST.

    Args:
        manifest: the file to write, in the folder to tidy; relative, so that nothing outside the repository is reached.
        outputs: what the jobs declare; a SHA256SUMS among them brings the files it lists.

    Returns:
        Relative paths of what was removed.

    Raises:
        BadRequest: where the folder lies outside the working folder or an output lies outside the folder.
    """
    folder = manifest.parent
    if manifest.is_absolute() or ".." in folder.parts or folder == Path() or folder.is_symlink():
        raise BadRequest("only a folder below the working folder can be tidied", value=folder)
    belonging = {MANIFEST}
    for output in outputs:
        if folder not in output.parents:
            raise BadRequest("an output lies outside the folder of its stage", value=output, where=folder)
        belonging.add(output.relative_to(folder).as_posix())
        if output.name == LISTING:
            belonging.update(
                (output.parent / name).relative_to(folder).as_posix() for name in read_listing(output.parent)
            )
    removed = sorted(_files(folder) - belonging)
    for name in removed:
        (folder / name).unlink()
    _remove_empty_folders(folder)
    write_text(manifest, "".join(f"{name}\n" for name in sorted(belonging - {MANIFEST})))
    return removed


def strangers(manifest: Path) -> list[str]:
    """Where a folder and its MANIFEST differ: one sentence a file, empty where they agree."""
    listed = set(manifest.read_text(encoding="utf-8").splitlines())
    present = _files(manifest.parent) - {MANIFEST}
    return [f"{name} is missing" for name in sorted(listed - present)] + [
        f"{name} does not belong there" for name in sorted(present - listed)
    ]


def _files(folder: Path) -> set[str]:
    """Files and links below a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _remove_empty_folders(folder: Path) -> None:
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not inner.is_symlink() and not any(inner.iterdir()):
            inner.rmdir()
