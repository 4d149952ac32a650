"""Slices a second of one core, drawing and writing, and what each part costs beside writing alone.

Run: python benchmarks/phantom.py [--cases 6] [--slices 20]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from dsn_saal.phantom.cohort import PREFIXES, CasePlan
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.scanner import MODELS
from dsn_saal.phantom.section import draw_slice
from dsn_saal.phantom.series import draw_header, encode_slice
from dsn_saal.phantom.write import write_case
from dsn_saal.storage.atomic import write_bytes


def main() -> None:
    """Time whole cases, then the parts of one slice, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--slices", type=int, default=20)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    classes, makers = list(PREFIXES), list(MODELS)
    plans = [
        CasePlan(classes[i % 3], classes[i % 3], i + 1, args.slices, makers[i % 2], False, 1) for i in range(args.cases)
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        wall, cpu = time.perf_counter(), time.process_time()
        for plan in plans:
            write_case(plan, out=out)
        slices = args.cases * args.slices
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"whole cases: {slices / wall:.1f} slices/s of wall time, {slices / cpu:.1f} slices/s of processor time")
        _parts(plans[0], out)


def _parts(plan: CasePlan, out: Path) -> None:
    clock = time.process_time
    begun = clock()
    patient = draw_patient(plan.class_name, plan.mild, plan.maker, plan.n_slices, plan.generator(0))
    drawn = clock() - begun
    header = draw_header(plan, patient, plan.generator(2))
    parts = dict.fromkeys(("draw", "encode", "write"), 0.0)
    for level in range(plan.n_slices):
        times = [clock()]
        pixels = draw_slice(patient, level, np.random.default_rng(level)).hu
        times.append(clock())
        content = encode_slice(header, plan, patient, level, level, pixels)
        times.append(clock())
        write_bytes(out / "part.dcm", content)
        times.append(clock())
        for name, seconds in zip(parts, np.diff(times), strict=True):
            parts[name] += float(seconds)
    print(f"patient: {1000 * drawn:.0f} ms a case, {drawn / parts['draw'] * plan.n_slices:.1f} x a slice's drawing")
    for name, seconds in parts.items():
        print(f"{name}: {1000 * seconds / plan.n_slices:.2f} ms a slice, {seconds / sum(parts.values()):.0%}")


if __name__ == "__main__":
    main()
