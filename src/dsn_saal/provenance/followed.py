"""Whether dvc.yaml follows params.yaml: what DVC does not look at, it calls up to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import BadRequest


def require_followed(stages: Path, params: Mapping[str, Any]) -> None:
    """Refuse params that a stage's list in dvc.yaml has not kept up with.

    A stage that follows a section must follow whatever a scale lays over it; some stage must follow each section and
    each data set's source.

    Args:
        stages: dvc.yaml; where it is missing there is nothing to refuse.
        params: params.yaml as a mapping.

    Raises:
        BadRequest: naming the first gap.
    """
    if not stages.is_file():
        return
    import yaml

    content = yaml.safe_load(stages.read_text(encoding="utf-8"))
    scales: dict[str, dict[str, Any]] = params.get("scales", {})
    followed = set[str]()
    sources = set[str]()
    for name, stage in content["stages"].items():
        keys = set(stage.get("params", ()))
        followed |= {key.split(".")[0] for key in keys}
        sources |= set(stage.get("deps", ()))
        laid = (f"scales.{scale}.{section}" for scale, block in scales.items() for section in block if section in keys)
        _require(laid, keys, f"{stages}: stages.{name}.params")
    _require((section for section in params if section != "scales"), followed, f"{stages}: params")
    _require((f"${{datasets.{name}.source}}" for name in params.get("datasets", {})), sources, f"{stages}: deps")


def _require(wanted: Iterable[str], there: set[str], where: str) -> None:
    missing = [entry for entry in wanted if entry not in there]
    if missing:
        raise BadRequest(
            "DVC would not notice a change of this", value=missing[0], where=where, next_step="add it to that list"
        )
