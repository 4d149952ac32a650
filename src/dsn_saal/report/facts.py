"""Every number and every word that depends on data or params, by name: what the template may print.

Facts are text as it is printed, or a flag that decides whether a sentence stands. They come from files and from the
job's block, never from this module.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from dsn_saal import __version__
from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.domain.origin import PHANTOM_MARK
from dsn_saal.params.figure_jobs import CONTACT_SHEET
from dsn_saal.params.learning import Train
from dsn_saal.params.losses import Saal
from dsn_saal.params.regimens import Adam, Regimen, Steps
from dsn_saal.params.report_job import ReportJob
from dsn_saal.statistics.printed import count, listed, metric, plain, plural

Facts = dict[str, Any]

PHANTOM_WARNING = "synthetic images drawn by the program; not a result about patients, not a reproduction"


def read_json(path: Path, what: str) -> Any:
    """A JSON file; raises BadRequest where it is missing and CheckFailed where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest(f"there is no {what}", value=path, next_step="run the stage that makes it") from None
    except ValueError as error:
        raise CheckFailed(f"the {what} is damaged", value=str(error), where=path, next_step="make it again") from None


def data_facts(job: ReportJob, flow: Facts, certificate: Facts, mask_quality: Facts, index: pd.DataFrame) -> Facts:
    """What was read, left out, masked and split.

    Args:
        job: the report's block.
        flow: what ingest counted.
        certificate: of the split.
        mask_quality: what preprocess measured.
        index: decoder and file_sha256 of every preprocessed slice.
    """
    origin = "phantom" if "phantom" in flow["origins"] else "clinical"
    digest = hashlib.sha256("\n".join(sorted(index["file_sha256"])).encode("ascii")).hexdigest()
    return {
        "origin": origin,
        "is_phantom": origin == "phantom",
        "phantom_mark": PHANTOM_MARK,
        "phantom_warning": PHANTOM_WARNING,
        "dataset_words": f"phantoms in place of {job.dataset_title}" if origin == "phantom" else job.dataset_title,
        "scale": job.scale,
        "is_small": job.scale != "paper",
        "class_titles_listed": f"{plural(len(job.classes), 'class', 'classes')}: {listed(list(job.classes.values()))}",
        "files_found": plural(flow["files"], "file"),
        "exclusion_sentence": _exclusions(flow),
        "slices_read": plural(flow["slices"], "slice"),
        "series_read": plural(flow["series"], "series", "series"),
        "cases_read": plural(flow["cases"], "case"),
        "cases_train": count(sum(entry["cases"] for entry in certificate["counts"]["train"].values())),
        "certificate_sentence": _certificate(certificate),
        "certificate_violated": certificate["verdict"] == "VIOLATED",
        "mask_sentence": _masks(mask_quality),
        "inputs_sha256": digest,
        "inputs_short": digest[:12],
        "input_files": plural(len(index), "file"),
        "decoders": listed(sorted(set(index["decoder"]))),
        "version": __version__,
    }


def _exclusions(flow: Facts) -> str:
    if not flow["excluded"]:
        return "none was left out."
    reasons = [f"{reason.replace('_', ' ')} ({count(number)})" for reason, number in flow["excluded"].items()]
    return f"{plural(flow['excluded_total'], 'was', 'were')} left out: {listed(reasons)}."


def _certificate(certificate: Facts) -> str:
    by_verdict: dict[str, list[str]] = {}
    for level, entry in certificate["levels"].items():
        by_verdict.setdefault(entry["verdict"], []).append(level)
    if len(by_verdict) == 1:
        levels = f"at every level looked at: {listed(list(certificate['levels']))}"
    else:
        levels = "by level: " + "; ".join(f"{verdict} for {listed(names)}" for verdict, names in by_verdict.items())
    return f"The certificate of disjointness says {certificate['verdict']}, {levels}."


def _masks(quality: Facts) -> str:
    overlap = quality["hull_iou"]
    if overlap:
        measured = (
            f"Against the hulls of the true lungs, known for {plural(overlap['slices'], 'slice')}, the masks reach an "
            f"intersection over union of {metric(overlap['mean'])} on average and {metric(overlap['min'])} at worst."
        )
    else:
        measured = f"The masks cannot be measured: {quality['hull_iou_missing_because']}."
    slices = plural(quality["slices"], "slice")
    if not quality["empty"]:
        return f"{measured} All {slices} have a lung mask."
    kept = "kept unmasked" if quality["kept"] == quality["slices"] else "left out"
    return f"{measured} Of {slices}, {count(quality['empty'])} without a lung mask are {kept}."


def method_facts(job: ReportJob) -> Facts:
    """What the params say about preprocessing, split, network, loss and training."""
    window, lung, split = job.preprocess.window, job.preprocess.lung, job.split
    low = window.level_hu - window.width_hu / 2
    return {
        "window_level": f"{plain(window.level_hu)} HU",
        "window_width": f"{plain(window.width_hu)} HU",
        "window_low": plain(low),
        "window_high": f"{plain(low + window.width_hu)} HU",
        "threshold": plain(lung.threshold),
        "close_px": plain(lung.close_px),
        "open_px": plain(lung.open_px),
        "order_words": {"close_first": "closing first", "open_first": "opening first"}[lung.order],
        "n_regions": plain(lung.n_regions),
        "candidate_words": {
            "lung_density": "if it is as dense as lung, neither as soft tissue nor as free gas",
            "any": "whatever its density",
        }[lung.candidates],
        "airway_words": {
            "cut_out": "Airways that are joined to a lung are cut out of it first.",
            "kept": "Airways that are joined to a lung stay part of it.",
        }[lung.airways],
        "midline_words": {
            "split": "The sides of the body are kept apart, so that closing cannot join the lungs.",
            "as_closed": "Lungs that closing has joined stay one region.",
        }[lung.midline],
        "hull_words": {"per_lung": "one for each", "joint": "one round all"}[lung.hull],
        "image_size": plain(job.preprocess.image_size),
        "split_rule": {"per_class": "class by class", "unstratified": "regardless of class"}[split.rule],
        "train_share": plain(split.train_share),
        "split_seed": plain(split.seed),
        **_network_facts(job),
        **_loss_facts(job),
        **_protocol_facts(job),
    }


def contact_sheet_facts(job: ReportJob) -> Facts:
    """Name and title of every contact sheet."""
    return {
        "contact_sheets": [
            {"figure": CONTACT_SHEET + name, "title": title} for name, title in job.contact_sheets.items()
        ]
    }


def _network_facts(job: ReportJob) -> Facts:
    width = job.network.width
    sides = [model.deep_supervision for model in job.models.values() if model.deep_supervision]
    facts: Facts = {
        "width_words": "the published channel numbers" if width == 1 else f"{plain(width)} of the published channels",
        "weights_words": {"imagenet": "ImageNet weights", "none": "random initial weights"}[job.network.weights],
        "has_side": bool(sides),
    }
    if sides:
        taps = {"after_relu": "after the activation", "after_bn": "after its normalisation", "after_conv": "as it is"}
        facts |= {
            "side_tap": taps[sides[0].tap],
            "side_channels": plain(sides[0].channels),
            "side_merge": {"sum": "summed", "concat": "concatenated"}[sides[0].merge],
            "side_fuse_channels": plural(sides[0].fuse_channels, "channel"),
        }
    return facts


def _loss_facts(job: ReportJob) -> Facts:
    saal = next((loss for loss in job.losses.values() if isinstance(loss, Saal)), None)
    if saal is None:
        return {"has_saal": False}
    return {
        "has_saal": True,
        "log_zero": plain(saal.log_zero),
        "side_weight": plain(saal.side_weight),
        "beta_words": {
            "each_output": "one beta for each classifier",
            "each_stage": "one beta for each stage, the last shared with the final classifier",
            "one": "one beta",
        }[saal.betas],
        "start_words": _starts(_start(saal.alpha_init), _start(saal.beta_init)),
        "decay_words": "applied to them too" if saal.decay_alpha_beta else "not applied to them here",
    }


def _starts(alpha: str, beta: str) -> str:
    return f"{alpha} each" if alpha == beta else f"{alpha} for the former and {beta} for the latter"


def _start(value: str | float) -> str:
    words = {"normal": "a standard normal draw", "uniform": "a uniform draw"}
    return words[value] if isinstance(value, str) else plain(value)


def _protocol_facts(job: ReportJob) -> Facts:
    train, regimen = job.train, job.regimen
    return {
        "optimizer_words": _optimizer(regimen),
        "weight_decay": plain(regimen.weight_decay),
        "lr": plain(regimen.lr),
        "fall_words": _fall(regimen),
        "epochs": plain(regimen.epochs),
        "batch_size": plain(regimen.batch_size),
        "augmentation_words": "with augmentation" if regimen.augmentation else "without augmentation",
        **_selection_facts(train),
        "runs": plural(train.runs, "time"),
        "runs_each": f"{plural(train.runs, 'run')} each",
        "seeds": listed([plain(train.first_seed + run) for run in range(train.runs)]),
        "predict_words": {
            "final": "the softmax of the final classifier",
            "mean_softmax": "the mean softmax of all classifiers",
        }[job.evaluate.predict_from],
    }


def _selection_facts(train: Train) -> Facts:
    share = "" if train.validation_share is None else f"{plain(100 * train.validation_share)} %"
    return {
        "select_sentence": {
            "last": "The last epoch is tested; no epoch is selected.",
            "best_validation": "The epoch is tested whose final classifier has the least cross-entropy on a validation "
            f"part: {share} of the training cases of each class, drawn anew for each run and never trained on.",
        }[train.select_epoch],
        "validation_words": {
            "last": "none is used",
            "best_validation": "the one used here is carved out of the training cases",
        }[train.select_epoch],
    }


def _optimizer(regimen: Regimen) -> str:
    if isinstance(regimen.optimizer, Adam):
        return "Adam"
    kind = "Nesterov momentum" if regimen.optimizer.nesterov else "momentum"
    return f"stochastic gradient descent ({kind} {plain(regimen.optimizer.momentum)})"


def _fall(regimen: Regimen) -> str:
    if not isinstance(regimen.rate, Steps):
        return {
            "constant": "that stays as it is",
            "linear": "falling linearly to zero",
            "cosine": "falling to zero as half a cosine",
        }[regimen.rate.kind]
    epochs = [plain(epoch) for epoch in regimen.rate.milestones]
    if not epochs:
        return "that stays as it is"
    return f"multiplied by {plain(regimen.rate.gamma)} after epoch{'' if len(epochs) == 1 else 's'} {listed(epochs)}"
