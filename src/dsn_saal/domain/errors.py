"""Errors as a product: what was wrong, which value, where, and what to do next."""

from __future__ import annotations


class DsnSaalError(Exception):
    """A failure that a person can act on.

    Args:
        what: what was wrong, one clause.
        value: the offending value as it was found, or None where there is none. Never an identity.
        where: file, key or command that holds the value.
        next_step: what the reader should do now.
    """

    exit_code = 1

    def __init__(self, what: str, *, value: object = None, where: object = None, next_step: str | None = None) -> None:
        self.what, self.value, self.where, self.next_step = what, value, where, next_step
        super().__init__(self.text())

    def text(self) -> str:
        """The message a command prints on standard error."""
        lines = [self.what]
        if self.value is not None:
            lines.append(f"  value: {self.value}")
        if self.where is not None:
            lines.append(f"  where: {self.where}")
        if self.next_step is not None:
            lines.append(f"  next:  {self.next_step}")
        return "\n".join(lines)


class CheckFailed(DsnSaalError):
    """The request was good, but what it found is not (exit code 1)."""

    exit_code = 1


class BadRequest(DsnSaalError):
    """The request cannot be served: a wrong path, key, value or combination (exit code 2)."""

    exit_code = 2
