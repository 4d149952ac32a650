"""What every section of params.yaml is made of: strict, frozen models and fields that say what the paper left open."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST_NAMED = 8
"""Most names that an error lists in full; of more only the nearest help."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Name of something in params.yaml: also part of paths below results/."""


class Section(BaseModel):
    """A block of params.yaml: unknown keys, wrong types and later changes are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def to_json(self) -> str:
        """The block as JSON without spaces, the same text for the same values.

        Keys keep the order of the models and of params.yaml: the order of the classes is their labels.
        """
        import json

        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"), ensure_ascii=True)


def stated(description: str, *, source: str, **law: Any) -> Any:
    """A field whose value the paper prints; `source` names the section of the paper."""
    return Field(description=description, json_schema_extra={"source": source}, **law)


def open_choice(description: str, *, paper: str, default: str, alternatives: str, **law: Any) -> Any:
    """A field the paper leaves open: one row of the definition switchboard.

    Args:
        description: what the value is, with its unit.
        paper: the paper's words, or "not stated".
        default: the recommended value, as a reader would write it.
        alternatives: the other readings that are built.
        law: bounds for pydantic.
    """
    extra: dict[str, Any] = {"paper": paper, "recommended": default, "alternatives": alternatives}
    return Field(description=description, json_schema_extra={**extra}, **law)


def ours(description: str, **law: Any) -> Any:
    """A field that belongs to this program and not to the paper (cohort of phantoms, machine, layout)."""
    return Field(description=description, **law)


def require_known(what: str, wanted: str, known: Collection[str]) -> None:
    """Raise ValueError where a name in params.yaml is of nothing, with the names that it may have meant."""
    if wanted in known:
        return
    if len(known) <= MOST_NAMED:
        raise ValueError(f"{what} is {wanted!r}; known: {', '.join(known)}")
    near = get_close_matches(wanted, known, n=3, cutoff=0.4)
    told = f"; nearest: {', '.join(near)}" if near else ""
    raise ValueError(f"{what} is {wanted!r}, which is none of the {len(known)} known{told}")
