"""`SHA256SUMS`: the listing that stands for a folder of files.

A job that writes many files owns their folder and finishes by writing this listing, which `sha256sum --check` reads
too. The workflow tracks the listing; whoever trusts it checks it against the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.storage.atomic import write_text

LISTING = "SHA256SUMS"
"""Name of the listing inside the folder it speaks for."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_below(root: Path) -> Iterator[Path]:
    """Every regular file below `root` but the listing itself, in the order of their relative paths."""
    found = (path for path in root.rglob("*") if path.is_file() and path != root / LISTING)
    return iter(sorted(found, key=lambda path: path.relative_to(root).as_posix()))


def write_listing(root: Path, digest: Callable[[Path], str] = sha256_of) -> None:
    """List every file below `root` with its SHA-256, sorted by path."""
    lines = [f"{digest(path)}  {path.relative_to(root).as_posix()}\n" for path in files_below(root)]
    write_text(root / LISTING, "".join(lines))


def read_listing(root: Path) -> dict[str, str]:
    """Relative path to SHA-256, as listed; raises CheckFailed where a line is malformed or leaves the folder."""
    listed = {}
    for number, line in enumerate((root / LISTING).read_text(encoding="utf-8").splitlines(), start=1):
        digest, _, name = line.partition("  ")
        escapes = PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
        if len(digest) != 64 or not name or escapes:
            raise CheckFailed(
                "a line of the listing is malformed", value=line[:120], where=f"{root / LISTING}:{number}"
            )
        listed[name] = digest
    return listed


def differences(root: Path, digest: Callable[[Path], str] = sha256_of) -> list[str]:
    """What the folder holds otherwise than its listing says: one sentence a file, empty where all is well."""
    listed = read_listing(root)
    present = {path.relative_to(root).as_posix(): path for path in files_below(root)}
    missing = [f"{name} is missing" for name in listed if name not in present]
    extra = [f"{name} is not listed" for name in present if name not in listed]
    altered = [
        f"{name} was altered" for name, path in present.items() if name in listed and digest(path) != listed[name]
    ]
    return sorted(missing + extra + altered)
