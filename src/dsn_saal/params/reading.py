"""params.yaml from its file: the scale laid over the sections, every wrong key told with what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.root import Settings


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
    """The sections with a scale's keys beside theirs, at any depth; a key that stands in both is refused."""
    merged = dict(sections)
    for section, values in block.items():
        if not isinstance(merged.get(section), dict) or not isinstance(values, dict):
            raise BadRequest(
                "a scale may only fill in sections that exist",
                value=section,
                where=where,
                next_step="see the sections of params.yaml",
            )
        merged[section] = _beside(merged[section], values, where=f"{where}.{section}")
    return merged


def _beside(base: dict[str, Any], more: dict[str, Any], *, where: str) -> dict[str, Any]:
    joined = dict(base)
    for key, value in more.items():
        if key not in base:
            joined[key] = value
        elif isinstance(base[key], dict) and isinstance(value, dict):
            joined[key] = _beside(base[key], value, where=f"{where}.{key}")
        else:
            raise BadRequest(
                "a key stands in two places",
                value=key,
                where=f"{where} and the same section outside scales",
                next_step="keep one of the two",
            )
    return joined


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
