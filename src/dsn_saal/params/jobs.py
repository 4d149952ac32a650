"""What one job of the workflow must know, and nothing else: the JSON a rule hands to a subcommand.

A job's block holds exactly the values its result depends on, so that a change in params.yaml reruns exactly the jobs it
touches.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar, cast

from pydantic import ValidationError

from dsn_saal.domain.errors import BadRequest
from dsn_saal.domain.pixels import Pixels
from dsn_saal.params.base import Name, Section
from dsn_saal.params.learning import Evaluate, Labels, Model, Network, Train
from dsn_saal.params.losses import Loss
from dsn_saal.params.methods import Classical, Method, SelfTrans
from dsn_saal.params.protocols import Folds, Protocol
from dsn_saal.params.regimens import Regimen
from dsn_saal.params.root import Settings

Job = TypeVar("Job", bound=Section)


class Phase(Section):
    """A contrastive phase before a classifier learns."""

    on: Literal["unlabelled", "training_part"]
    regimen: Regimen


class TrainJob(Section):
    """Train all runs of one experiment.

    `predict_batch` is evaluate's batch size, for runs that predict because their weights are not kept; else null.
    """

    name: Name
    labels: Labels
    network: Network
    model: Model
    loss: Loss
    method: Method
    regimen: Regimen
    phases: tuple[Phase, ...]
    train: Train
    image_size: int
    classes: tuple[Name, ...]
    accept: tuple[str, ...]
    predict_batch: int | None
    pixels: Pixels = "lungs"


class ClassicalJob(Section):
    """Train all runs of one experiment whose method is classical."""

    name: Name
    classical: Classical
    runs: int
    first_seed: int
    classes: tuple[Name, ...]
    accept: tuple[str, ...]


class EvaluateJob(Section):
    """Predict and measure all runs of one experiment.

    `model` is null where the method has no network. `block` is how many images of neighbouring numbers the intervals
    draw together where no case is known; null: each image by itself.
    """

    name: Name
    network: Network
    model: Model | None
    block: int | None
    evaluate: Evaluate
    runs: int
    threads: int
    image_size: int
    classes: tuple[Name, ...]
    positive: Name
    pixels: Pixels = "lungs"


class PredictJob(Section):
    """Let all runs of one experiment answer for the training part of their own split."""

    name: Name
    network: Network
    model: Model
    predict_from: Literal["final", "mean_softmax"]
    batch_size: int
    runs: int
    threads: int
    image_size: int
    classes: tuple[Name, ...]


def train_job(settings: Settings, name: str) -> TrainJob | ClassicalJob:
    """The block of `dsn-saal train` for one experiment."""
    experiment = settings.experiments[name]
    method = settings.methods[experiment.method]
    if isinstance(method, Classical) or experiment.model is None or experiment.loss is None:
        return ClassicalJob(
            name=name,
            classical=cast("Classical", method),  # a law of the settings
            runs=settings.runs_of(name),
            first_seed=settings.train.first_seed,
            classes=tuple(settings.datasets[experiment.dataset].classes),
            accept=settings.datasets[experiment.dataset].accept,
        )
    return TrainJob(
        name=name,
        labels=experiment.labels,
        network=_network_of(settings, name),
        model=settings.models[experiment.model],
        loss=settings.losses[experiment.loss],
        method=method,
        regimen=settings.regimen_of(name),
        phases=_phases(settings, name),
        train=settings.train.model_copy(update={"runs": settings.runs_of(name)}),
        image_size=settings.preprocess.image_size,
        classes=tuple(settings.datasets[experiment.dataset].classes),
        accept=settings.datasets[experiment.dataset].accept,
        predict_batch=None if settings.train.keep_weights == "all" else settings.evaluate.batch_size,
        pixels=experiment.pixels,
    )


def _network_of(settings: Settings, name: str) -> Network:
    """What an experiment's network shares with all others, but for what its method has of its own."""
    method = settings.methods[settings.experiments[name].method]
    own = method.input_normalise if isinstance(method, SelfTrans) else None
    return settings.network.model_copy(update={"normalise": own}) if own else settings.network


def _phases(settings: Settings, name: str) -> tuple[Phase, ...]:
    method = settings.methods[settings.experiments[name].method]
    if not isinstance(method, SelfTrans):
        return ()
    first = Phase(on="unlabelled", regimen=settings.regimens[method.unlabelled_regimen])
    second = Phase(on="training_part", regimen=settings.regimens[method.target_regimen])
    return (first, second) if method.unlabelled else (second,)


def evaluate_job(settings: Settings, name: str) -> EvaluateJob:
    """The block of `dsn-saal evaluate` for one experiment."""
    experiment = settings.experiments[name]
    dataset = settings.datasets[experiment.dataset]
    return EvaluateJob(
        name=name,
        network=_network_of(settings, name),
        model=settings.models[experiment.model] if experiment.model else None,
        block=_block(settings.protocols[experiment.protocol]),
        evaluate=settings.evaluate,
        runs=settings.runs_of(name),
        threads=settings.train.threads,
        image_size=settings.preprocess.image_size,
        classes=tuple(dataset.classes),
        positive=dataset.positive,
        pixels=experiment.pixels,
    )


def _block(protocol: Protocol) -> int | None:
    return protocol.block_size if isinstance(protocol, Folds) and protocol.unit == "block" else None


def predict_job(settings: Settings, name: str) -> PredictJob:
    """The block of `dsn-saal predict` for one experiment."""
    whole = evaluate_job(settings, name)
    shared = ("name", "network", "model", "runs", "threads", "image_size", "classes")
    return PredictJob(
        predict_from=whole.evaluate.predict_from,
        batch_size=whole.evaluate.batch_size,
        **{key: getattr(whole, key) for key in shared},
    )


def network_arguments(job: TrainJob | EvaluateJob | PredictJob) -> dict[str, Any]:
    """A job's network as models.build_network takes it, without its initial weights; raises BadRequest for none."""
    if job.model is None:
        raise BadRequest("a classical method has no network", value=job.name)
    side, last_layer = job.model.deep_supervision, job.model.last_layer
    return {
        "backbone": job.model.backbone,
        "n_classes": len(job.classes),
        "image_size": job.image_size,
        "width": job.network.width,
        "conv1": job.network.conv1,
        "dropout": job.network.dropout,
        "side": side.model_dump() if side else None,
        "last_layer": last_layer.model_dump() if last_layer else None,
    }


def parse_train_job(text: str) -> TrainJob | ClassicalJob:
    """The block of `dsn-saal train` from its JSON; raises BadRequest where it breaks a law."""
    return parse_job(ClassicalJob, text) if '"classical":{"kind"' in text else parse_job(TrainJob, text)


def parse_job(model: type[Job], text: str) -> Job:
    """A job's block from its JSON; raises BadRequest where it breaks a law."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRequest(
            f"--settings is not a block of {model.__name__}: {first['msg']}",
            value=first.get("input"),
            where=".".join(str(part) for part in first["loc"]),
            next_step="paste the command from the job's log, or leave --settings out to use params.yaml",
        ) from None
