"""Numeric error of SAAL's class weights and of their gradient: naive float32, naive float64, ours, beside 60 digits.

w(k) = (1 - a) / (1 - a^k) with a = sigmoid(x), differentiated by x. Naive is the printed formula, differentiated by
autograd, as a reader would write it. A row is a value of x, a column the largest relative error over all class sizes
from 1 to 30 000; "no number" stands for inf or NaN.

    python benchmarks/saal_weights.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import mpmath
import torch
from torch import Tensor

from dsn_saal.losses import class_weights

COUNTS = (1, 2, 13, 75, 980, 1256, 2674, 3824, 12_520, 30_000)
RAW = (-30.0, -8.0, -2.0, 0.0, 2.0, 5.0, 8.0, 10.0, 12.0, 16.0, 17.0, 20.0, 27.631, 36.0)


def naive(raw: Tensor, counts: Tensor) -> Tensor:
    """The formula as it is printed."""
    alpha = torch.sigmoid(raw)
    return (1 - alpha) / (1 - alpha**counts)


FORMS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], torch.dtype]] = {
    "naive float32": (naive, torch.float32),
    "naive float64": (naive, torch.float64),
    "ours": (class_weights, torch.float64),
}


def exact(raw: float, count: int) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Weight and derivative, in closed form: dw/dx = a (1 - a) dw/da."""
    a = 1 / (1 + mpmath.exp(-mpmath.mpf(raw)))
    rest, power = 1 - a, a**count
    by_alpha = (-(1 - power) + rest * count * power / a) / (1 - power) ** 2
    return rest / (1 - power), a * rest * by_alpha


def errors(form: str, raw: float) -> tuple[float, float]:
    """Largest relative error of weight and of gradient; a derivative that is zero (k = 1) is measured against w."""
    make, dtype = FORMS[form]
    worst = [0.0, 0.0]
    for count in COUNTS:
        x = torch.tensor(raw, dtype=dtype, requires_grad=True)
        weight = make(x, torch.tensor(float(count), dtype=dtype))
        weight.backward()
        true = exact(float(x.detach()), count)
        for place, value in enumerate((float(weight.detach()), float(x.grad))):
            found = (
                abs(mpmath.mpf(value) - true[place]) / abs(true[place] or true[0]) if math.isfinite(value) else math.inf
            )
            worst[place] = max(worst[place], float(found))
    return worst[0], worst[1]


def shown(error: float) -> str:
    """Three digits, or words where there is no number."""
    return f"{error:.1e}" if math.isfinite(error) else "no number"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=60, help="digits of the reference")
    mpmath.mp.dps = parser.parse_args().digits
    heads = [f"{form} {what}" for what in ("w", "dw/dx") for form in FORMS]
    print(f"{'x':>8s} {'1 - alpha':>10s} " + " ".join(f"{head:>19s}" for head in heads))
    worst = dict.fromkeys(heads, 0.0)
    for raw in RAW:
        found = [errors(form, raw) for form in FORMS]
        row = dict(zip(heads, [pair[place] for place in (0, 1) for pair in found], strict=True))
        worst = {head: max(worst[head], row[head]) for head in heads}
        rest = 1 / (1 + math.exp(raw))
        print(f"{raw:8.3f} {rest:10.1e} " + " ".join(f"{shown(row[head]):>19s}" for head in heads))
    print(f"{'worst':>19s} " + " ".join(f"{shown(worst[head]):>19s}" for head in heads))


if __name__ == "__main__":
    main()
