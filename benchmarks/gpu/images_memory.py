"""A lack of memory as one message, which keeps the other experiments going."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.train import machine as machine_room


class OutOfMemory(Exception):
    """A run does not fit into the device's memory; the message says what was tried and what to set."""


@contextmanager
def memory_told(batch_size: int, step: str, key: str) -> Iterator[None]:
    """The message of `dsn-saal train`, under a name that no other failed check has."""
    try:
        with machine_room.memory_errors(batch_size, step=step, key=key):
            yield
    except CheckFailed as error:
        if error.__cause__ is None:  # another check than that of memory
            raise
        message = str(error)
    else:
        return
    raise OutOfMemory(message)  # out of the handler, whose traceback holds the network
