"""Requests to a DICOMweb server: bounded, repeated where that can help, every failure with a name.

The library `dicomweb-client` is not used here (the tests use it against us): it gives parsed datasets, so that the
bytes as they were sent are lost; it holds a part whole whatever its size; it takes a last part that was cut off for a
whole one; and it logs UIDs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import urllib3

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.ingest.fetch.address import PASSWORD, TOKEN, USER, Access
from dsn_saal.ingest.fetch.multipart import BodyEnded, Malformed

Got = TypeVar("Got")

JSON = "application/dicom+json"

MAX_JSON_BYTES = 2**26
"""Largest answer to one query."""

_CHUNK = 2**16
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Status codes that another attempt may not meet."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        attempts: how often a request is made before it counts as failed.
        wait_s: seconds before the second attempt; doubled before each further one.
        connect_s: seconds to connect.
        silence_s: seconds without a byte.
    """

    attempts: int = 5
    wait_s: float = 1.0
    connect_s: float = 10.0
    silence_s: float = 60.0


class Answer:
    """The answer to a request, its body still to be read.

    Attributes:
        status: its status code, 200 or 204.
        content_type: its media type as it was sent.
        has_end: whether the connection can tell that the body is whole.
    """

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.content_type = response.headers.get("Content-Type", "")
        self.has_end = bool({"Content-Length", "Transfer-Encoding"} & {*map(str.title, response.headers)})

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        return iter(self._response.iter_content(_CHUNK))


class Server:
    """A DICOMweb server.

    Args:
        access: where it is and who asks.
        patience: how long it is waited for.
    """

    def __init__(self, access: Access, patience: Patience) -> None:
        self._access, self._patience = access, patience
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"
        if access.authorization is not None:
            self._session.auth = self._sign

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._access.authorization or ""
        return request

    def query(self, path: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        """The answers to a search, [] where nothing matches."""
        return self.get(path, parameters, JSON, _dicom_json)

    def get(
        self,
        path: str,
        parameters: dict[str, str],
        accept: str,
        read: Callable[[Answer], Got],
        *,
        attempts: int | None = None,
    ) -> Got:
        """Make a request and read its answer, both again where that failed for a passing cause.

        Args:
            path: below the server's address, ready to be sent.
            parameters: of the query.
            accept: media type that is asked for.
            read: reads the answer; may be called once an attempt.
            attempts: in place of patience's.

        Raises:
            BadRequest: where address or credentials are wrong.
            CheckFailed: where the server fails, or its answer is none.
        """
        allowed = attempts or self._patience.attempts
        for attempt in range(allowed):
            if attempt:
                time.sleep(self._patience.wait_s * 2 ** (attempt - 1))
            try:
                return self._once(path, parameters, accept, read)
            except _Passing as passing:
                failure = passing.failure
        raise failure

    def _once(self, path: str, parameters: dict[str, str], accept: str, read: Callable[[Answer], Got]) -> Got:
        address, patience = self._access.address, self._patience
        try:
            with self._session.get(
                f"{address}/{path}",
                params=parameters,
                headers={"Accept": accept},
                stream=True,
                timeout=(patience.connect_s, patience.silence_s),
                verify=str(self._access.ca_file) if self._access.ca_file else True,
                allow_redirects=False,
            ) as response:
                self._require_good(response.status_code)
                return read(Answer(response))
        except (Malformed, UnicodeError, json.JSONDecodeError, RecursionError):
            raise CheckFailed(
                "the server's answer is not what DICOMweb asks for",
                where=address,
                next_step="check that the address is the root of its DICOMweb services",
            ) from None
        except BodyEnded:
            raise _Passing(self._failed("the server's answer ended in the middle")) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._named(error) from None

    def _require_good(self, status: int) -> None:
        where = self._access.address
        if status in (200, 204):
            return
        if status in _PASSING:
            raise _Passing(self._failed("the server fails", status))
        if status in (401, 403, 407):
            raise BadRequest(
                "the server refuses the credentials",
                value=status,
                where=where,
                next_step=f"set {USER} and {PASSWORD}, or {TOKEN}, or an entry in your netrc file; then ask its owner",
            )
        if 300 <= status < 400:
            raise BadRequest(
                "the server sends on to another address; it is not followed",
                value=status,
                where=where,
                next_step="name the final address as the source",
            )
        if status == 404:
            raise NotThere(
                "the server does not know this address, or no longer what was asked for",
                value=status,
                where=where,
                next_step="check that the source is the root of its DICOMweb services, then run again",
            )
        raise self._failed("the server refuses the request", status)

    def _named(self, error: Exception) -> Exception:
        """The library's errors quote the whole address, with what was asked for: none of that is passed on."""
        where = self._access.address
        if isinstance(error, requests.exceptions.SSLError):
            return BadRequest(
                "the server's certificate is not trusted",
                where=where,
                next_step="name the file with your hospital's certificates with --ca-file",
            )
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
            return _Passing(self._failed("the server does not answer in time"))
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return BadRequest("the address is not that of a DICOMweb server", where=where)
        if isinstance(error, requests.exceptions.ProxyError):
            return _Passing(self._failed("the proxy between here and the server cannot be reached"))
        if isinstance(error, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.ProtocolError):
            return _Passing(self._failed("the server's answer ended in the middle"))
        return _Passing(self._failed("the server cannot be reached"))

    def _failed(self, what: str, status: int | None = None) -> CheckFailed:
        return CheckFailed(
            what, value=status, where=self._access.address, next_step="run again: what has arrived is not fetched twice"
        )


class NotThere(BadRequest):
    """The server answers that there is nothing at this address."""


class _Passing(Exception):
    """A failure that another attempt may not meet."""

    def __init__(self, failure: CheckFailed) -> None:
        self.failure = failure
        super().__init__(failure.what)


def _dicom_json(answer: Answer) -> list[dict[str, Any]]:
    body = bytearray()
    for chunk in answer.chunks():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise Malformed
    if not body.strip():
        if answer.status == 204 or answer.has_end:
            return []
        raise BodyEnded
    try:
        found = json.loads(body)
    except json.JSONDecodeError:
        if not answer.has_end:
            raise BodyEnded from None
        raise
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise Malformed
    return found
