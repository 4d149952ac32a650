"""Numeric error of SAAL's class weights and of their gradient: naive float32, naive float64, ours, beside 60 digits.

w(k) = (1 - a) / (1 - a^k) with a = sigmoid(x), differentiated by x. Naive is the printed formula, differentiated by
autograd, as a reader would write it. A row is a value of x, a column the largest relative error over all class sizes
from 1 to 30 000; "no number" stands for inf or NaN. The last columns measure the gradient's error against the weight:
near alpha = 1 the gradient itself goes to nothing, and what is left of it there, right or wrong, moves nothing.

Exit code 1 where the relative error of our weights passes 1e-12 for an alpha up to 1 - 1e-12.

    python benchmarks/saal_weights.py
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

import mpmath
import torch
from torch import Tensor

from dsn_saal.losses import class_weights

COUNTS = (1, 2, 13, 75, 980, 1256, 2674, 3824, 12_520, 30_000)
RAW = (-30.0, -8.0, -2.0, 0.0, 2.0, 5.0, 8.0, 10.0, 12.0, 16.0, 17.0, 20.0, 27.631, 36.0)

MEASURED = ("w", "dw/dx", "dw/dx over w")
LARGEST_ERROR, SMALLEST_REST = 1e-12, 1e-12
"""The bar: relative error of a weight, for 1 - alpha down to this."""


def naive(raw: Tensor, counts: Tensor) -> Tensor:
    """The formula as it is printed."""
    alpha = torch.sigmoid(raw)
    return (1 - alpha) / (1 - alpha**counts)


FORMS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], torch.dtype]] = {
    "float32": (naive, torch.float32),
    "float64": (naive, torch.float64),
    "ours": (class_weights, torch.float64),
}


def exact(raw: float, count: int) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Weight and derivative, in closed form: dw/dx = a (1 - a) dw/da."""
    a = 1 / (1 + mpmath.exp(-mpmath.mpf(raw)))
    rest, power = 1 - a, a**count
    by_alpha = (-(1 - power) + rest * count * power / a) / (1 - power) ** 2
    return rest / (1 - power), a * rest * by_alpha


def errors(form: str, raw: float) -> tuple[float, ...]:
    """Largest error of each of MEASURED; a derivative that is zero (k = 1) is measured against w."""
    make, dtype = FORMS[form]
    worst = [0.0] * len(MEASURED)
    for count in COUNTS:
        x = torch.tensor(raw, dtype=dtype, requires_grad=True)
        weight = make(x, torch.tensor(float(count), dtype=dtype))
        weight.backward()
        w, slope = exact(float(x.detach()), count)
        given, by_autograd = float(weight.detach()), float(x.grad)
        found = ((given, w, w), (by_autograd, slope, slope or w), (by_autograd, slope, w))
        worst = [max(held, error(*one)) for held, one in zip(worst, found, strict=True)]
    return tuple(worst)


def error(value: float, true: mpmath.mpf, measure: mpmath.mpf) -> float:
    """Distance from the truth over a measure; infinite where there is no number."""
    return float(abs(mpmath.mpf(value) - true) / abs(measure)) if math.isfinite(value) else math.inf


def shown(error: float) -> str:
    """Three digits, or words where there is no number."""
    return f"{error:.1e}" if math.isfinite(error) else "no number"


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=60, help="digits of the reference")
    mpmath.mp.dps = parser.parse_args().digits
    heads = [(what, form) for what in MEASURED for form in FORMS]
    print("relative error; float32 and float64: the naive formula")
    print(" " * 19 + "".join(f"{what:>33s}" for what in MEASURED))
    print(f"{'x':>8s} {'1 - alpha':>10s}" + "".join(f"{form:>11s}" for _, form in heads))
    worst, judged = dict.fromkeys(heads, 0.0), 0.0
    for raw in RAW:
        found = [errors(form, raw) for form in FORMS]
        row = dict(zip(heads, [one[place] for place in range(len(MEASURED)) for one in found], strict=True))
        worst = {head: max(worst[head], row[head]) for head in heads}
        rest = 1 / (1 + math.exp(raw))
        if rest >= SMALLEST_REST:
            judged = max(judged, row["w", "ours"])
        print(f"{raw:8.3f} {rest:10.1e}" + "".join(f"{shown(row[head]):>11s}" for head in heads))
    print(f"{'worst':>19s}" + "".join(f"{shown(worst[head]):>11s}" for head in heads))
    holds = judged <= LARGEST_ERROR
    print(
        f"bar: relative error of ours at most {LARGEST_ERROR:.0e} for 1 - alpha from {SMALLEST_REST:.0e}: "
        f"{shown(judged)}, {'held' if holds else 'missed'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
