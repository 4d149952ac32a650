"""What Tables 7 to 9 must know: experiments on public data sets, and the columns they share with quoted rows."""

from __future__ import annotations

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Name, Section
from dsn_saal.params.datasets import Dataset
from dsn_saal.params.methods import Classical, Features
from dsn_saal.params.protocols import Folds, Protocol
from dsn_saal.params.root import Settings
from dsn_saal.params.shown import ExperimentRow


class Column(Section):
    """A column that our rows and quoted ones share."""

    head: str
    ours: str
    quoted: str


class PublicRow(ExperimentRow):
    """An experiment of Tables 7 to 9.

    Attributes:
        split: in words.
        test_share: n_test / n_train of a fold; None where there are none.
        features: what it sees where it has no network.
    """

    split: str
    protocol: Name
    runs: int
    test_share: float | None
    features: Features | None


class PublicTableJob(Section):
    """Tables 7 to 9: experiments on a public data set, and what is quoted of others."""

    id: Name
    title: str
    scale: str
    dataset_title: str
    quoted: str
    columns: tuple[Column, ...]
    classes: dict[Name, str]
    positive: Name
    accept: tuple[str, ...]
    rows: tuple[PublicRow, ...]
    width: float
    select_epoch: str


PUBLIC_TABLES = {
    "table7a": ("7a", "Whole training list"),
    "table7b": ("7b", "Training list of equally many images a class"),
    "table8": ("8", "Methods compared"),
    "table9": ("9", "Methods compared on folds"),
}
"""Tables of the public sets: their numbers in the file of reported numbers, and their titles before the data set's."""


def public_table_job(settings: Settings, name: str) -> PublicTableJob:
    """The block of `dsn-saal table table7a` and its kin."""
    names = settings.report.public_tables[name]
    if not names:
        raise BadRequest(f"there is no {name}: report.{name} names no experiment")
    dataset = settings.datasets[settings.experiments[names[0]].dataset]
    quoted, title = PUBLIC_TABLES[name]
    return PublicTableJob(
        id=name,
        title=title,
        scale=settings.scale,
        dataset_title=dataset.title,
        quoted=quoted,
        columns=_public_columns(quoted, dataset),
        classes={key: entry.title for key, entry in dataset.classes.items()},
        positive=dataset.positive,
        accept=dataset.accept,
        rows=tuple(_public_row(settings, experiment) for experiment in names),
        width=settings.network.width,
        select_epoch=settings.train.select_epoch,
    )


def _public_columns(quoted: str, dataset: Dataset) -> tuple[Column, ...]:
    """The paper's columns: of each class in Table 7, of the class that is looked for in Tables 8 and 9."""
    positive, title = dataset.positive, dataset.classes[dataset.positive].title
    accuracy = Column(head="ACC", ours="accuracy.overall", quoted="ACC")
    f1 = Column(head=f"F1 {title}", ours="f1.positive", quoted="F1")
    auc = Column(head="AUC", ours="auc.positive", quoted="AUC")
    rates = {"SEN": "sensitivity", "PRE": "precision"}
    if quoted == "8":
        return (accuracy, f1, auc)
    if quoted == "9":
        of_one = [
            Column(head=f"{head} {title}", ours=f"{rates[head]}.{positive}", quoted=head) for head in ("PRE", "SEN")
        ]
        return (accuracy, *of_one, f1, auc)
    by_class = (
        Column(head=f"{head} {entry.title}", ours=f"{rate}.{name}", quoted=f"{head}_{entry.folders[0]}")
        for head, rate in rates.items()
        for name, entry in dataset.classes.items()
    )
    return (accuracy, *by_class)


def _public_row(settings: Settings, name: str) -> PublicRow:
    experiment = settings.experiments[name]
    method, protocol = settings.methods[experiment.method], settings.protocols[experiment.protocol]
    return PublicRow(
        name=name,
        title=experiment.title,
        split=_split_words(protocol),
        test_share=1 / (protocol.folds - 1) if isinstance(protocol, Folds) else None,
        protocol=experiment.protocol,
        runs=settings.runs_of(name),
        features=method.features if isinstance(method, Classical) else None,
    )


def _split_words(protocol: Protocol) -> str:
    if isinstance(protocol, Folds):
        return f"{protocol.folds} folds by {protocol.unit}"
    return {"official": "published lists", "cases": "by case", "subsample": "by case, thinned out"}[protocol.kind]
