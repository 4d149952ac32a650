"""Arrays in .npy files, read without loading them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsn_saal.domain.errors import BadRequest, CheckFailed


def open_array(path: Path) -> NDArray[Any]:
    """An array file as a memory map; raises BadRequest where it is missing and CheckFailed where it is none."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise BadRequest("there is no such file", value=path, next_step="run preprocess") from None
    except (ValueError, EOFError, OSError) as error:
        raise CheckFailed("not an array file", value=str(error).splitlines()[0], where=path) from None
