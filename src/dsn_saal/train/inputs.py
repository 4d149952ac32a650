"""What a training job reads: the certified split and the images it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.split.table import parts_of, read_split


def require_certificate(path: Path, accept: Sequence[str]) -> None:
    """Refuse a split that is certified to leak.

    Args:
        path: certificate of the split.
        accept: levels of the certificate whose violation is accepted by name.

    Raises:
        BadRequest: where there is no certificate, or it is none.
        CheckFailed: where a level is VIOLATED that was not accepted.
    """
    try:
        certificate = json.loads(path.read_text(encoding="utf-8"))
        verdict = certificate["verdict"]
        violated = sorted(name for name, entry in certificate["levels"].items() if entry["verdict"] == "VIOLATED")
    except FileNotFoundError:
        raise BadRequest(
            "the split has no certificate", value=path, next_step="run dsn-saal split, which writes it"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest("not a certificate of a split", value=path, next_step="run dsn-saal split again") from None
    refused = [name for name in violated if name not in accept]
    if refused or (verdict == "VIOLATED" and not violated):
        raise CheckFailed(
            "the training and test parts share what must be apart",
            value=", ".join(refused) or verdict,
            where=path,
            next_step="make the split again, or accept the finding by name in split.accept: every report will say so",
        )


def training_rows(path: Path, draw: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of images.npy that train in one draw of a split, ascending, and their labels.

    Raises:
        BadRequest: where the table is missing or no split.
        CheckFailed: where it has no training slice.
    """
    table = parts_of(read_split(path), draw)
    chosen = table[table["part"] == "train"]
    if chosen.empty:
        raise CheckFailed("the split has no training slice", value=f"{len(table)} rows", where=path)
    return chosen["row"].to_numpy(np.int64), chosen["label"].to_numpy(np.int64)
