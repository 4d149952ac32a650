"""Where the time of training goes, by operation and by kernel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ceilings import wait
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from dsn_saal.train.machine import Machine

ROWS = 15
"""Operations, and kernels, that are kept."""


def profile_of(work: Callable[[], None], machine: Machine) -> dict[str, Any]:
    """Time of `work` by operation and, on a GPU, by kernel: name, calls, ms and share, the longest first.

    Times are of the device. `busy` is their sum over the time on the clock, which the profiler itself lengthens.
    """
    on_gpu = machine.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    wait(machine)
    with profile(activities=activities) as seen:
        begun = time.perf_counter()
        work()
        wait(machine)
        elapsed = time.perf_counter() - begun
    events = [event for event in seen.key_averages() if not getattr(event, "is_user_annotation", False)]
    mine = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    operations = [(e.key, e.count, getattr(e, mine)) for e in events if e.device_type == DeviceType.CPU]
    kernels = [(e.key, e.count, e.self_device_time_total) for e in events if e.device_type != DeviceType.CPU]
    total = sum(microseconds for _, _, microseconds in kernels or operations)
    return {
        "operations": _longest(operations, total),
        "kernels": _longest(kernels, total),
        "busy": total / 1e6 / elapsed,
        "ms": total / 1e3,
    }


def _longest(rows: list[tuple[str, int, float]], total: float) -> list[dict[str, Any]]:
    ordered = sorted(rows, key=lambda row: row[2], reverse=True)[:ROWS]
    return [
        {"name": name[:90], "calls": calls, "ms": round(spent / 1e3, 3), "share": round(spent / total, 4)}
        for name, calls, spent in ordered
        if spent > 0
    ]


def told_profile(lines: list[dict[str, Any]]) -> str:
    """Every profile of a result file as tables."""
    told = []
    for line in lines:
        if "operations" not in line:
            continue
        told += [f"### {line['key']}", "", f"{line['device']}; device busy {line['busy']:.0%} of the time.", ""]
        for kind in ("operations", "kernels"):
            if line[kind]:
                told += [f"| {kind} | calls | ms | share |", "|---|---:|---:|---:|"]
                rows = line[kind]
                told += [f"| `{r['name']}` | {r['calls']} | {r['ms']:.1f} | {r['share']:.1%} |" for r in rows] + [""]
    return "\n".join(told)
