"""The classes of a data set: their order is their label."""

from __future__ import annotations

from dataclasses import dataclass

from dsn_saal.domain.errors import BadRequest


@dataclass(frozen=True)
class ClassSet:
    """Ordered class names with printable titles; a class's label is its position.

    Attributes:
        names: machine names, unique, at least two.
        titles: what tables and figures print, one per name.
        positive: the class that sensitivity and specificity speak of.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    positive: str

    def __post_init__(self) -> None:
        if len(self.names) < 2 or len(set(self.names)) != len(self.names):
            raise BadRequest("a data set needs at least two classes, each named once", value=self.names)
        if len(self.titles) != len(self.names):
            raise BadRequest("every class needs one title", value=self.titles)
        if self.positive not in self.names:
            raise BadRequest("the positive class is not one of the classes", value=self.positive, where=self.names)

    def __len__(self) -> int:
        return len(self.names)

    def label(self, name: str) -> int:
        """Label of a class name."""
        return self.names.index(name)
