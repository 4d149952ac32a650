"""Laws that hold between sections of params.yaml: each raises ValueError with the key that breaks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dsn_saal.params.learning import Experiment, Model, Prototypes, Train
from dsn_saal.params.losses import Loss, MaxMarginAffinity
from dsn_saal.params.methods import Classical, Method, NetworkMethod, SelfTrans
from dsn_saal.params.protocols import Folds, Protocol
from dsn_saal.params.regimens import Regimen


def require_one_number_of_runs(protocols: Mapping[str, Protocol], used: Collection[str]) -> None:
    """The workflow declares the files of every run beforehand: one rule for folds, of one number of runs."""
    runs = {name: held.runs for name, held in protocols.items() if name in used and isinstance(held, Folds)}
    if len(set(runs.values())) > 1:
        told = ", ".join(f"protocols.{name} gives {number} runs" for name, number in runs.items())
        raise ValueError(f"experiments on folds must agree in folds x repeats: {told}")


def require_classical(name: str, experiment: Experiment, method: Method) -> None:
    """A classical method has neither network nor loss, and every other has both."""
    is_classical = isinstance(method, Classical)
    for kind in ("model", "loss"):
        if (getattr(experiment, kind) is None) != is_classical:
            needs = "null, as its method is classical" if is_classical else "a name: its method learns a network"
            raise ValueError(f"experiments.{name}.{kind} must be {needs}")
    if is_classical and experiment.labels != "as_given":
        raise ValueError(f"experiments.{name} learns by kind classical and needs labels: as_given")


def require_prototypes(
    name: str, experiment: Experiment, models: Mapping[str, Model], losses: Mapping[str, Loss]
) -> None:
    """A loss on affinities reads the prototypes of the network."""
    model, loss = models.get(experiment.model or ""), losses.get(experiment.loss or "")
    if isinstance(loss, MaxMarginAffinity) and model is not None and not isinstance(model.last_layer, Prototypes):
        raise ValueError(
            f"experiments.{name} has loss {experiment.loss!r} and needs a model with last_layer: prototypes, not "
            f"{experiment.model!r}"
        )


def require_vote(name: str, method: NetworkMethod, regimens: Mapping[str, Regimen], train: Train) -> None:
    """Epochs vote on a classification, and only where the last ones are tested: no two rules choose the weights."""
    if isinstance(method, SelfTrans):
        for key in ("unlabelled_regimen", "target_regimen"):
            wanted = getattr(method, key)
            if regimens[wanted].vote_epochs > 1:
                raise ValueError(
                    f"methods.{name}.{key} is {wanted!r}, whose vote_epochs must be 1: its phase names no class"
                )
    chosen, votes = train.select_epoch, regimens[method.regimen].vote_epochs
    if votes > 1 and chosen != "last":
        raise ValueError(
            f"train.select_epoch is {chosen}, but regimens.{method.regimen}.vote_epochs is {votes}: the best epoch "
            "alone or the last ones together are tested; set vote_epochs to 1 at each scale"
        )


def require_thumbnail(name: str, method: Classical, image_size: int) -> None:
    """A thumbnail's squares must fill the image."""
    side = method.features.thumbnail_px
    if image_size % side:
        raise ValueError(
            f"methods.{name}.features.thumbnail_px is {side}, which does not divide image_size {image_size}"
        )


def require_one_dataset(item: str, dataset_of: Mapping[str, str]) -> None:
    """Rows of one table are of one data set."""
    if len(set(dataset_of.values())) > 1:
        raise ValueError(f"report.{item} sets data sets side by side: {', '.join(map(': '.join, dataset_of.items()))}")
