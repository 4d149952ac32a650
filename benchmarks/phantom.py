"""Slices a second of one core, drawing and writing, what each part costs, and seconds for the stand-ins of params.yaml.

Run: python benchmarks/phantom.py [--cases 6] [--slices 20] [--workers 2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import yaml

from dsn_saal.params.image_jobs import phantom_job
from dsn_saal.params.reading import resolve
from dsn_saal.phantom.cohort import PREFIXES, CasePlan, plan_cohort, seed_of_set
from dsn_saal.phantom.layouts.registry import LAYOUTS
from dsn_saal.phantom.patient import draw_patient
from dsn_saal.phantom.scanner import MODELS
from dsn_saal.phantom.section import draw_slice
from dsn_saal.phantom.series import draw_header, file_bytes, slice_dataset
from dsn_saal.phantom.write import write_case, write_set
from dsn_saal.storage.atomic import write_bytes


def main() -> None:
    """Time whole cases, then the parts of one slice, on one thread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--slices", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="processes for the stand-ins")
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
        _stand_ins(out, args.workers)


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
        content = file_bytes(slice_dataset(header, plan, patient, level, level, pixels))
        times.append(clock())
        write_bytes(out / "part.dcm", content)
        times.append(clock())
        for name, seconds in zip(parts, np.diff(times).tolist(), strict=True):
            parts[name] += seconds
    print(f"patient: {1000 * drawn:.0f} ms a case, {drawn / parts['draw'] * plan.n_slices:.1f} x a slice's drawing")
    for name, seconds in parts.items():
        print(f"{name}: {1000 * seconds / plan.n_slices:.2f} ms a slice, {seconds / sum(parts.values()):.0%}")


def _stand_ins(out: Path, workers: int) -> None:
    settings = resolve(yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")))
    for name in settings.phantom.cohorts:
        job = phantom_job(settings, name)
        if job.reader not in LAYOUTS:
            continue
        cohort = job.cohort.model_dump()
        plans = plan_cohort(
            seed=seed_of_set(job.seed, job.reader),
            mild_share=job.mild_share,
            folders=job.folders,
            drawn_as=job.drawn_as,
            **cohort,
        )
        begun = time.perf_counter()
        write_set(LAYOUTS[job.reader](plans, workers=workers, progress=lambda items, _: iter(items)), out / name)
        wall = time.perf_counter() - begun
        slices = sum(plan.n_slices for plan in plans)
        print(f"{name}: {wall:.1f} s for {slices} slices, {slices / wall:.1f} slices/s, {workers} processes")


if __name__ == "__main__":
    main()
