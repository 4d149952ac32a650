"""What publications report: the file of printed, computed and quoted numbers, each with its source, strict and frozen.

A number that is not in the file is unknown and stays unknown: nothing here fills one in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Section

Unit = Literal["fraction", "percent", "count", "million", "GFLOPs"]
Status = Literal["printed", "repository", "computed", "second-hand"]
"""printed: in the paper's running text. repository: read at a public source of the number's own authors. computed:
arithmetic on such numbers. second-hand: another publication quotes it."""
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Row = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False)]

PER_CENT = {"fraction": 1.0, "percent": 0.01}
"""What a share of each unit is multiplied by to lie in [0, 1]."""


class Claim(Section):
    """An ordering, a trend or a bound that the text states, read as: subject relation versus."""

    id: str
    table: str
    dataset: str
    kind: Literal["ordering", "gain_range", "bound", "trend", "qualitative"]
    subject: str
    relation: str
    versus: Texts
    metrics: Texts
    value: float | Annotated[tuple[float, float], Field(strict=False)] | None
    unit: Unit | None
    statement: str
    testable: Literal["rerun", "static", "visual"]
    status: Status
    source: str
    note: str | None


class Statement(Section):
    """What a source says of one quantity: a number with its unit, or words."""

    id: str
    dataset: str | None
    quantity: str
    value: float | str
    unit: str | None
    status: Status
    source: str
    note: str | None


class Reported(Section):
    """One number in the unit of its source."""

    table: str
    method: str
    dataset: str
    metric: str
    value: float
    std: float | None
    n_runs: int | None
    unit: Unit
    status: Status
    source: str
    note: str | None

    @property
    def share(self) -> float | None:
        """The value in [0, 1], None where it is no share."""
        return self.value * PER_CENT[self.unit] if self.unit in PER_CENT else None


class Bound(Section):
    """A consequence of printed numbers under a named assumption."""

    table: str
    metric: str
    what: str
    low: float | None
    high: float | None
    assumes: str


class AddedParameters(Section):
    """Parameters that one reading of the side branches adds."""

    backbone: str
    taps: int
    merge: str
    fuse_channels: int
    added: int
    within_claim: bool


class PublicConfusion(Section):
    """A published confusion matrix: rows the true class, columns the predicted one, order Normal, CP, NCP."""

    method: str
    dataset: str
    source: str
    matrix: Annotated[tuple[Row, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _is_square(self) -> PublicConfusion:
        if {len(row) for row in self.matrix} != {len(self.matrix)}:
            raise ValueError(f"the confusion matrix of {self.method!r} is not square")
        return self


class PublicSplit(Section):
    """Where a split is published, and its counts."""

    dataset: str
    repository: str | None
    commit: str | None
    path: str | None
    train: int | None
    val: int | None
    test: int | None
    patients: int | None
    patient_overlap: int | None


class NotAvailable(Section):
    """Cells that exist in the paper and whose values are not publicly citable."""

    table: str
    methods: Texts
    dataset: str | None


class QuotedRow(Section):
    """A row of a table that quotes other works.

    cited: the text discusses the work. uncertain: it may not be a row. anchor: it is none, its numbers are known.
    """

    table: str
    method: str
    role: Literal["cited", "uncertain", "anchor"]


class ComposedClass(Section):
    """Cases and images of one class of an earlier study, None where unknown."""

    name: str
    cases: int | None = Field(ge=1)
    images: int | None = Field(ge=1)
    train: int | None = Field(ge=0)
    test: int | None = Field(ge=0)


class Composition(Section):
    """What is known of the data of an earlier study: a row group of Table 1."""

    study: str
    method: str | None
    classes: Annotated[tuple[ComposedClass, ...], Field(strict=False)]
    total: int | None
    status: Status | None
    source: str | None
    note: str | None

    @model_validator(mode="after")
    def _adds_up(self) -> Composition:
        if bool(self.classes) != bool(self.status) or bool(self.classes) != bool(self.source):
            raise ValueError(f"the composition of {self.study!r} needs status and source with its numbers, or neither")
        images = [entry.images for entry in self.classes if entry.images is not None]
        if self.total is not None and len(images) == len(self.classes) and sum(images) != self.total:
            raise ValueError(f"the classes of {self.study!r} have {sum(images)} images together, not {self.total}")
        for entry in self.classes:
            if entry.images is not None and (entry.train or 0) + (entry.test or 0) > entry.images:
                raise ValueError(f"{entry.name!r} of {self.study!r} has parts that are larger than the class")
        return self


class ReportedNumbers(Section):
    """The whole file."""

    schema_version: Literal[1]
    sources: dict[str, str]
    positive: dict[str, str]
    statements: Annotated[tuple[Statement, ...], Field(strict=False)]
    claims: Annotated[tuple[Claim, ...], Field(strict=False)]
    reported: Annotated[tuple[Reported, ...], Field(strict=False)]
    bounds: Annotated[tuple[Bound, ...], Field(strict=False)]
    derived_params: Annotated[tuple[AddedParameters, ...], Field(strict=False)]
    confusion: Annotated[tuple[PublicConfusion, ...], Field(strict=False)]
    splits: Annotated[tuple[PublicSplit, ...], Field(strict=False)]
    rows: Annotated[tuple[QuotedRow, ...], Field(strict=False)]
    compositions: Annotated[tuple[Composition, ...], Field(strict=False)]
    not_available: Annotated[tuple[NotAvailable, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _each_once(self) -> ReportedNumbers:
        keys = [(row.table, row.method, row.dataset, row.metric) for row in self.reported]
        names = [claim.id for claim in self.claims]
        said = [statement.id for statement in self.statements]
        rows = [(row.table, row.method) for row in self.rows]
        for what, found in (("reported", keys), ("claims", names), ("statements", said), ("rows", rows)):
            twice = next((key for place, key in enumerate(found) if key in found[:place]), None)
            if twice is not None:
                raise ValueError(f"{what} holds {twice!r} twice")
        return self

    @model_validator(mode="after")
    def _rows_are_the_methods(self) -> ReportedNumbers:
        tables = {row.table for row in self.rows}
        ordered = {(row.table, row.method) for row in self.rows}
        held = {(row.table, row.method) for row in self.reported if row.table in tables}
        if ordered != held:
            table, method = min(ordered ^ held)
            raise ValueError(
                f"method {method!r} of table {table} must stand in rows and in reported, not in one of them"
            )
        return self

    def rows_of(self, table: str, *roles: str) -> tuple[str, ...]:
        """Methods that a table quotes with one of these roles, in the order of the file."""
        return tuple(row.method for row in self.rows if row.table == table and row.role in roles)

    def of_table(self, table: str) -> tuple[Reported, ...]:
        """Numbers of one table, in the order of the file."""
        return tuple(row for row in self.reported if row.table == table)

    def of_method(self, table: str, method: str) -> dict[str, Reported]:
        """Numbers of one row of a table by metric."""
        return {row.metric: row for row in self.of_table(table) if row.method == method}


def read_reported(path: Path) -> ReportedNumbers:
    """The reported numbers of a file.

    Raises:
        BadRequest: where the file is missing, is no YAML, or breaks a law; it names the file and the key.
    """
    import yaml

    try:
        raw: Any = yaml.CSafeLoader(path.read_text(encoding="utf-8")).get_single_data()  # safe_load in C
    except FileNotFoundError:
        raise BadRequest(
            "there is no such file of reported numbers",
            value=path,
            next_step="name one that is there: report.reported in params.yaml, or --reported",
        ) from None
    except yaml.YAMLError as error:
        raise BadRequest(
            "reported numbers are not YAML", value=path, where=str(getattr(error, "problem_mark", "")).strip()
        ) from None
    try:
        return ReportedNumbers.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(
            f"reported numbers do not hold their laws: {first['msg']}",
            value=first.get("input"),
            where=f"{path}: {'.'.join(str(part) for part in first['loc']) or '(whole file)'}",
            next_step="correct that key",
        ) from None
