"""Keyed hashes in place of identifiers.

Phantoms are hashed with a public key, so that their manifest has the same bytes on every machine. Clinical identifiers
are hashed with a secret that stays outside the repository: without it nobody can test a guessed patient number.
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from dsn_saal.domain.errors import BadRequest

PUBLIC_KEY = b"dsn-saal phantom cohort: public key"
"""Key of phantoms: they have no identity to protect."""

KEY_BYTES = 32
"""Length of a secret that the program makes."""

FEWEST_KEY_BYTES = 16
"""Shortest secret that is accepted."""

KEY_FILE_VARIABLE = "DSN_SAAL_KEY_FILE"
"""Environment variable that moves the user's own key file."""


def keyed_hash(kind: str, identifier: str, key: bytes) -> str:
    """16 hexadecimal characters for an identifier, "" for an empty one.

    Args:
        kind: "case", "study", "series" or "sop"; equal identifiers of two kinds do not share a hash.
        identifier: what must not be printed.
        key: secret or public key, at most 64 bytes.
    """
    if not identifier:
        return ""
    return blake2b(
        identifier.encode("utf-8", "surrogateescape"), digest_size=8, key=key, person=kind.encode()
    ).hexdigest()


def key_path(key_file: str | None) -> Path:
    """Where the clinical key lies: the file params name, else the variable's, else the user's configuration folder."""
    if key_file is not None:
        return Path(key_file).expanduser()
    if moved := os.environ.get(KEY_FILE_VARIABLE):
        return Path(moved)
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "dsn-saal" / "case-id.key"


@lru_cache(maxsize=8)
def clinical_key(path: Path, *, make: bool) -> bytes:
    """The secret in a key file.

    Args:
        path: the file; its bytes without surrounding white space are the secret.
        make: whether to create it where it is missing.

    Raises:
        BadRequest: where it is missing, too short, or cannot be read or made.
    """
    try:
        if make and not path.exists():
            _make_key(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise BadRequest(
            "the key file for case ids cannot be used",
            value=error.strerror,
            where=path,
            next_step=f"name a file you can read in ingest.key_file or {KEY_FILE_VARIABLE}, or set it to null",
        ) from None
    if len(secret) < FEWEST_KEY_BYTES:
        raise BadRequest(
            f"a key for case ids needs at least {FEWEST_KEY_BYTES} bytes",
            value=f"{len(secret)} bytes",
            where=path,
            next_step="put a random secret there, for example the output of `openssl rand -hex 32`",
        )
    return blake2b(secret, digest_size=64).digest()


def _make_key(path: Path) -> None:
    """Write a new secret that only the user can read; of several processes at once the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
