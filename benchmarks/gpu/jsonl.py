"""Result files of the GPU scripts: one JSON object a line, each line one finished measurement."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from dsn_saal.train.machine import Machine


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The finished measurements; a last line that a kill cut off is none."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Write one more measurement, on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = "".join(json.dumps(known) + "\n" for known in read_lines(path))
    if path.exists() and path.read_text(encoding="utf-8") != kept:
        path.write_text(kept, encoding="utf-8")
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    print(json.dumps(line), flush=True)


def circumstances(machine: Machine) -> dict[str, Any]:
    """Where, when and how something was measured."""
    return {
        "device": machine.name,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": command(),
    }


def command() -> str:
    """What was called, the script named from the repository's root: folders above it are nobody's business."""
    root, script = Path(__file__).parents[2], Path(sys.argv[0]).resolve()
    name = script.relative_to(root).as_posix() if script.is_relative_to(root) else script.name
    return " ".join(["python", name, *sys.argv[1:]])
