"""The definition switchboard: every open choice of the paper with what the settings chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel

from dsn_saal.params.root import Settings


class SwitchboardRow(BaseModel):
    """One open choice of the paper with what was chosen."""

    key: str
    meaning: str
    paper: str
    chosen: str
    recommended: str
    alternatives: str


def switchboard(settings: Settings) -> list[SwitchboardRow]:
    """Every open choice that these settings meet, in the order of params.yaml.

    What several entries of a section (data sets, protocols, losses) decide alike stands in one row.
    """
    rows: dict[tuple[str, str, str, str], list[tuple[str, SwitchboardRow]]] = {}
    for entry, row in _open_choices(settings, ""):
        pattern = row.key.replace(f".{entry}.", ".*.", 1) if entry else row.key
        rows.setdefault((pattern, row.meaning, row.paper, row.chosen), []).append((entry, row))
    several = Counter(pattern for pattern, *_ in rows)
    return [_joined(pattern, alike, alone=several[pattern] == 1) for (pattern, *_), alike in rows.items()]


def _joined(pattern: str, alike: list[tuple[str, SwitchboardRow]], *, alone: bool) -> SwitchboardRow:
    """One row for entries that decide alike; it names them where others of the section decide otherwise."""
    row = alike[0][1]
    if len(alike) == 1:
        return row
    names = "*" if alone else "{" + ", ".join(entry for entry, _ in alike) + "}"
    return row.model_copy(update={"key": pattern.replace(".*.", f".{names}.", 1)})


def _open_choices(section: BaseModel, prefix: str, entry: str = "") -> Iterator[tuple[str, SwitchboardRow]]:
    """Each choice below a section, with the name of the entry that it belongs to where the section has several."""
    for name, field in type(section).model_fields.items():
        value, extra = getattr(section, name), field.json_schema_extra
        key = f"{prefix}{name}"
        if isinstance(extra, dict) and "paper" in extra:
            yield (
                entry,
                SwitchboardRow(
                    key=key,
                    meaning=field.description or "",
                    chosen=_plain(value),
                    paper=str(extra["paper"]),
                    recommended=str(extra["recommended"]),
                    alternatives=str(extra["alternatives"]),
                ),
            )
        elif isinstance(value, BaseModel):
            yield from _open_choices(value, f"{key}.", entry)
        elif isinstance(value, dict):
            for named, inner in value.items():
                if isinstance(inner, BaseModel):
                    yield from _open_choices(inner, f"{key}.{named}.", named)


def _plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(str(inner) for inner in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return str(value)
