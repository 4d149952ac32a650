"""Whether a command was given exactly what its settings speak of."""

from __future__ import annotations

from collections.abc import Collection

from dsn_saal.domain.errors import BadRequest


def require_named(option: str, given: Collection[str], wanted: Collection[str]) -> None:
    """Raise BadRequest unless an option was given once for each wanted name, and for no other.

    Args:
        option: of the command line, as the user writes it.
        given: names that it was given for.
        wanted: names that the settings speak of.
    """
    differ = {"missing": set(wanted) - set(given), "not wanted": set(given) - set(wanted)}
    if any(differ.values()):
        told = [f"{what}: {', '.join(sorted(names))}" for what, names in differ.items() if names]
        raise BadRequest(
            "an option must be given once for each name of the settings, and no other is read",
            value="; ".join(told),
            where=option,
            next_step=f"name exactly: {', '.join(sorted(set(wanted)))}",
        )
