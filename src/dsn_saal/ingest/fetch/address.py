"""Where a DICOMweb server is, and who asks it: no secret is in params, in a message or in a log."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dsn_saal.domain.errors import BadRequest

USER, PASSWORD, TOKEN = "DSN_SAAL_DICOMWEB_USER", "DSN_SAAL_DICOMWEB_PASSWORD", "DSN_SAAL_DICOMWEB_TOKEN"
"""Environment variables with credentials; without them the user's netrc file counts."""


@dataclass(frozen=True)
class Access:
    """How to reach a server.

    Attributes:
        address: root of its DICOMweb services, without user, query and last slash.
        authorization: value of the header Authorization, None where the user's netrc file decides.
        ca_file: certificates to trust, None for the system's.
    """

    address: str
    authorization: str | None
    ca_file: Path | None

    def __repr__(self) -> str:
        return f"Access({self.address})"


def access(address: str, ca_file: Path | None) -> Access:
    """Check an address and take the credentials from the environment.

    Raises:
        BadRequest: where the address is none, holds credentials, or the environment's are incomplete.
    """
    if ca_file is not None and not ca_file.is_file():
        raise BadRequest("there is no such file of certificates", value=ca_file, next_step="correct --ca-file")
    return Access(_checked(address), _authorization(), ca_file)


def is_open_line(address: str) -> bool:
    """Whether what is sent can be read on its way: no TLS, and not this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return False
    try:
        return not ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname != "localhost"


def _checked(address: str) -> str:
    advice = "write datasets.<name>.source as https://host:port/path/to/dicom-web"
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or not address.isascii() or not address.isprintable() or " " in address:
        raise BadRequest("the address is not that of a DICOMweb server", next_step=advice)
    if "@" in parts.netloc:
        raise BadRequest(
            "the address holds a user's name or password",
            where=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            next_step=f"take them out, and set {USER} and {PASSWORD}, or {TOKEN}",
        )
    if parts.query or parts.fragment:
        raise BadRequest("the address holds a query", where=f"{parts.scheme}://{parts.netloc}", next_step=advice)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _authorization() -> str | None:
    from base64 import b64encode

    user, password, token = (os.environ.get(name, "") for name in (USER, PASSWORD, TOKEN))
    if token and (user or password):
        raise BadRequest("both a token and a user are set", where=f"{TOKEN}, {USER}", next_step="unset one of them")
    if bool(user) != bool(password) or ":" in user:
        raise BadRequest(
            "the credentials are incomplete, or the user's name has a colon", next_step=f"set {USER} and {PASSWORD}"
        )
    if token:
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise BadRequest("the token has characters that no token has", where=TOKEN, next_step="set it again")
        return f"Bearer {token}"
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else None
