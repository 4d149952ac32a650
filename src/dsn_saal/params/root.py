"""params.yaml as a whole: the scale laid over the sections, the references checked, the jobs' blocks cut out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError, model_validator

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.base import Section
from dsn_saal.params.data import Dataset, Ingest, Name, Phantom, Preprocess, Split
from dsn_saal.params.learning import Evaluate, Experiment, Loss, Model, Network, Report, Train


class Settings(Section):
    """Every section with the chosen scale laid over it."""

    scale: Literal["demo", "paper"]
    datasets: dict[Name, Dataset]
    phantom: Phantom
    ingest: Ingest
    preprocess: Preprocess
    split: Split
    network: Network
    models: dict[Name, Model]
    losses: dict[Name, Loss]
    experiments: dict[Name, Experiment]
    train: Train
    evaluate: Evaluate
    report: Report

    @model_validator(mode="after")
    def _references_resolve(self) -> Settings:
        for name, experiment in self.experiments.items():
            for kind, known in (("dataset", self.datasets), ("model", self.models), ("loss", self.losses)):
                wanted = getattr(experiment, kind)
                if wanted not in known:
                    raise ValueError(f"experiments.{name}.{kind} is {wanted!r}; known: {', '.join(known)}")
        named = [*self.report.table3, *self.report.figure4, *([self.report.control] if self.report.control else [])]
        for wanted in named:
            if wanted not in self.experiments:
                raise ValueError(f"report names the experiment {wanted!r}; known: {', '.join(self.experiments)}")
        if self.report.dataset not in self.datasets:
            raise ValueError(f"report.dataset is {self.report.dataset!r}; known: {', '.join(self.datasets)}")
        for wanted in named:
            other = self.experiments[wanted].dataset
            if other != self.report.dataset:
                raise ValueError(f"report.dataset is {self.report.dataset!r}, but experiment {wanted!r} uses {other!r}")
        for name, dataset in self.datasets.items():
            if dataset.is_phantom and set(self.phantom.cases) != set(dataset.classes):
                raise ValueError(f"phantom.cases must name the classes of datasets.{name}")
        return self


def resolve(raw: dict[str, Any], *, where: str = "params.yaml") -> Settings:
    """Lay the chosen scale over the sections and validate everything.

    Args:
        raw: params.yaml as a mapping.
        where: name of the file, for messages.

    Raises:
        BadRequest: naming each wrong key with its value and what is allowed.
    """
    sections = {key: value for key, value in raw.items() if key != "scales"}
    scales, scale = raw.get("scales"), raw.get("scale")
    if not isinstance(scales, dict) or not isinstance(scale, str) or scale not in scales:
        known = ", ".join(scales) if isinstance(scales, dict) else "none"
        raise BadRequest(
            "scale does not name a block of scales",
            value=scale,
            where=f"{where}: scale",
            next_step=f"choose one of: {known}",
        )
    merged = dict(sections)
    for name, block in scales.items():
        laid = _lay_over(sections, block, where=f"{where}: scales.{name}")
        if name == scale:
            merged = laid
        else:
            _validate({**laid, "scale": name}, where=f"{where} with scale: {name}")
    return _validate(merged, where=where)


def _lay_over(sections: dict[str, Any], block: dict[str, Any], *, where: str) -> dict[str, Any]:
    merged = dict(sections)
    for section, values in block.items():
        base = merged.get(section)
        if not isinstance(base, dict) or not isinstance(values, dict):
            raise BadRequest(
                "a scale may only fill in sections that exist",
                value=section,
                where=where,
                next_step="see the sections of params.yaml",
            )
        twice = sorted(set(base) & set(values))
        if twice:
            raise BadRequest(
                "a key stands in two places",
                value=", ".join(twice),
                where=f"{where}.{section} and {section}",
                next_step="keep one of the two",
            )
        merged[section] = {**base, **values}
    return merged


def _validate(merged: dict[str, Any], *, where: str) -> Settings:
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise BadRequest(
            _explain(error, where), next_step="correct the value; `dsn-saal params` prints every key with its law"
        ) from None


def _explain(error: ValidationError, where: str) -> str:
    lines = [f"{where} does not hold {error.error_count()} of its laws"]
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
        given = (
            ""
            if problem["type"] in ("missing", "extra_forbidden") or not problem["loc"]
            else f", not {problem['input']!r}"
        )
        lines.append(f"  {key}: {problem['msg']}{given}")
    return "\n".join(lines)


def read_settings(path: Path) -> Settings:
    """Settings from a params file; raises BadRequest where it is missing, no YAML or breaks a law."""
    import yaml

    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRequest(
            "there is no such file",
            value=path,
            next_step="run from the repository's root or name the file with --params",
        ) from None
    except yaml.YAMLError as error:
        raise BadRequest(
            "params are not YAML", value=path, where=str(getattr(error, "problem_mark", "")).strip()
        ) from None
    if not isinstance(raw, dict):
        raise BadRequest("params must be a mapping of sections", value=path)
    return resolve(raw, where=str(path))


class SwitchboardRow(BaseModel):
    """One open choice of the paper with what was chosen."""

    key: str
    meaning: str
    paper: str
    chosen: str
    recommended: str
    alternatives: str


def switchboard(settings: Settings) -> list[SwitchboardRow]:
    """Every open choice that these settings meet, in the order of params.yaml."""
    return list(_open_choices(settings, ""))


def _open_choices(section: BaseModel, prefix: str) -> Any:
    for name, field in type(section).model_fields.items():
        value, extra = getattr(section, name), field.json_schema_extra
        key = f"{prefix}{name}"
        if isinstance(extra, dict) and "paper" in extra:
            yield SwitchboardRow(
                key=key,
                meaning=field.description or "",
                chosen=_plain(value),
                paper=str(extra["paper"]),
                recommended=str(extra["recommended"]),
                alternatives=str(extra["alternatives"]),
            )
        elif isinstance(value, BaseModel):
            yield from _open_choices(value, f"{key}.")
        elif isinstance(value, dict):
            for entry, inner in value.items():
                if isinstance(inner, BaseModel):
                    yield from _open_choices(inner, f"{key}.{entry}.")


def _plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return str(value)
