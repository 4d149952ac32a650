"""The model card and the datasheets: filled from files and params only; what no file answers is said to be open.

The questions follow CLAIM and TRIPOD+AI for the model, Gebru et al. (Datasheets for Datasets) for the data.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import pandas as pd

from dsn_saal.params.html_job import HtmlJob
from dsn_saal.report.html.sources import Sources
from dsn_saal.statistics.printed import count, listed, plural
from dsn_saal.tables.footnotes import PREDICTED
from dsn_saal.tables.results import FAMILIES

Json = dict[str, Any]


class Field(NamedTuple):
    """A question, its answer, and, where there is none, what would give one."""

    asks: str
    answer: str | None
    needs: str = ""


Card = dict[str, list[Field]]


def model_card(job: HtmlJob, sources: Sources, facts: Json, shelves: set[str]) -> Card:
    """What is known of the method in the last row of the main table.

    Args:
        job: the page's block.
        sources: every file.
        facts: those of the printed paper.
        shelves: that hold any table or figure.
    """
    row = job.paper.rows[-1]
    chosen, summary = job.experiments[row.name], sources.summaries[row.name]
    network = summary["network"]
    return {
        "The model": [
            Field("Name and version", f"{row.title}, program version {facts['version']}"),
            Field("Network", f"{chosen.model}, {facts['width_words']}, {plural(network['parameters'], 'parameter')}"),
            Field("Loss and method", f"{chosen.loss}; {chosen.method}"),
            Field("Initial weights", listed(sorted({one["record"]["initialisation"] for one in summary["training"]}))),
            Field("Input", f"CT slices of {facts['image_size']} × {facts['image_size']} pixels, {_window(facts)}"),
            Field(
                "Output",
                f"a probability for each of {facts['class_titles_listed']}; {PREDICTED[summary['predict_from']]}",
            ),
            Field("Licence of the weights", None, "a statement by whoever hands the weights on"),
            Field("Contact", None, "a person or an institution that answers for the model"),
        ],
        "Intended use": [
            Field("Purpose", "Regenerating a published study. Not a medical device."),
            Field("Users, setting, decision it supports", None, "a statement of use and a clinical evaluation"),
            Field("Out of scope", _out_of_scope(facts)),
        ],
        "Data": [
            Field(
                "Training and test data",
                f"{facts['dataset_words']}: {facts['cases_train']} cases to train, "
                f"{plural(summary['n_cases'], 'case')} with {plural(summary['n_slices'], 'slice')} to test",
            ),
            Field("Disjointness", facts["certificate_sentence"]),
            *_of_patients(facts),
        ],
        "Training": [
            Field(
                "Optimizer",
                f"{facts['optimizer_words']}, learning rate {facts['lr']} {facts['fall_words']}, "
                f"{facts['epochs']} epochs of batches of {facts['batch_size']}",
            ),
            Field("Choice of the epoch", facts["select_sentence"]),
            Field("Runs and seeds", f"{facts['runs_each']}, seeds {facts['seeds']}"),
            Field("Machines", facts["machine_sentence"]),
            Field("Repeatability", facts["determinism"]),
            Field("Energy and time", None, "a meter and a clock during training"),
        ],
        "Performance": [
            Field("Metrics", f"{listed([facts[f'{family}_name'] for family in FAMILIES])}; see the tables of results"),
            Field("Uncertainty", f"standard deviation over runs; intervals of {facts['level']} over test cases"),
            Field("Calibration", _on_shelf("calibration", shelves), "the tables and figures of calibration"),
            Field("Failures", _on_shelf("errors", shelves), "figures of slices told right and wrong"),
            Field("Subgroups (age, sex, scanner)", None, "test cases with age and sex on record, enough of each group"),
            Field("External validation", None, "cases of another hospital that no choice was made on"),
        ],
        "Limits": [Field(f"{number}", text) for number, text in enumerate(limits(job, sources, facts), 1)],
    }


def limits(job: HtmlJob, sources: Sources, facts: Json) -> list[str]:
    """What the files themselves say against taking the numbers for more than they are."""
    summary = sources.summaries[job.paper.rows[-1].name]
    found = []
    if facts["is_phantom"]:
        found.append("Phantom data: synthetic images drawn by the program. Nothing here is a result about patients.")
    if facts["is_small"]:
        found.append(
            f"Scale {facts['scale']}: smaller images, networks and cohorts, and fewer runs and epochs, than published."
        )
    found.append(
        f"One test part of {plural(summary['n_cases'], 'case')}: what it shows of other cases is within the intervals, "
        "and of other hospitals nothing."
    )
    words = [
        f"{job.datasets[name].title} {protocol} ({held['verdict']})"
        for (name, protocol), held in sources.certificates.items()
        if held["verdict"] != "PROVEN"
    ]
    if words:
        found.append(f"Not every split is proven disjoint: {listed(words)}.")
    if facts["diverged_sentence"]:
        found.append(facts["diverged_sentence"])
    return found


def _window(facts: Json) -> str:
    return f"window {facts['window_low']} to {facts['window_high']}"


def _out_of_scope(facts: Json) -> str:
    if facts["is_phantom"]:
        return "Any use on patients: it has seen nothing but drawn phantoms."
    return "Any use that decides about a patient."


def _of_patients(facts: Json) -> list[Field]:
    if facts["is_phantom"]:
        return [
            Field("Patients", "none: no person was imaged"),
            Field("Reference standard", "known by construction: the program drew the disease"),
        ]
    return [
        Field("Age, sex, symptoms", None, "clinical records; names, ages and dates never leave the reader"),
        Field("Reference standard", None, "how and by whom each case was diagnosed"),
        Field("Ethics and consent", None, "the approval under which the images were taken"),
    ]


def _on_shelf(shelf: str, shelves: set[str]) -> str | None:
    return "shown on this page" if shelf in shelves else None


def datasheet(job: HtmlJob, sources: Sources, name: str) -> Card:
    """What is known of one data set."""
    held, flow, index = job.datasets[name], sources.flows[name], sources.indices[name]
    is_phantom = "phantom" in flow["origins"]
    open_question = "the people who made the set"
    return {
        held.title: [
            Field("Made for", "standing in for a set that may not be handed on" if is_phantom else None, open_question),
            Field("Origin", "phantoms drawn by the program, in the set's layout" if is_phantom else "as delivered"),
            Field("Size", f"{plural(flow['files'], 'file')}, {plural(flow['slices'], 'slice')}, {_cases(flow)}"),
            Field("Classes", _class_counts(flow, held.classes), "counts of each class in the flow of ingestion"),
            Field("Left out", _left_out(flow)),
            Field("Scanners", _most(index, "manufacturer"), "manufacturers in the files' headers"),
            Field("Decoded by", _most(index, "decoder"), "decoders in the manifest"),
            Field("Collected by, when, where", None, open_question),
            Field("Reference standard", "known by construction" if is_phantom else None, open_question),
            Field("Consent", "no person was imaged" if is_phantom else None, open_question),
            Field("Licence", "that of the program" if is_phantom else None, open_question),
            Field("Digest of all inputs", digest_of(index)),
        ]
    }


def digest_of(index: pd.DataFrame) -> str:
    """SHA-256 over the sorted SHA-256 of the files behind every slice, as the printed paper gives it."""
    return hashlib.sha256("\n".join(sorted(index["file_sha256"])).encode("ascii")).hexdigest()


def _left_out(flow: Json) -> str:
    return f"{plural(flow['excluded_total'], 'file')}; see the flow" if flow["excluded_total"] else "no file"


def _cases(flow: Json) -> str:
    return plural(flow["cases"], "case") if flow["cases"] else "cases unknown: the set names no patients"


def _class_counts(flow: Json, classes: dict[str, str]) -> str | None:
    held = flow.get("classes", {})
    return listed([f"{classes[name]} {count(one['slices'])}" for name, one in held.items()]) if held else None


def _most(index: pd.DataFrame, column: str) -> str | None:
    found = index[column].replace("", pd.NA).dropna().value_counts().sort_index()
    return listed([f"{name} ({count(int(number))})" for name, number in found.items()]) if len(found) else None
