"""What deep supervision costs in training time: plain VGG-16-BN, side branches that pool first, and the naive form.

The three take their steps in turn, so that whatever else the machine does meets all of them; printed are the medians
and their ratios to the plain network. The bar (pool first: at most 1.05 x plain) is for the published size; what the
sides cost weighs more in a small network, and the defaults are small.

    python benchmarks/deep_supervision.py                                                     # a minute; not the bar's
    python benchmarks/deep_supervision.py --image-size 224 --width 1 --batch 16 --rounds 5    # the published size
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `dsn-saal train` does

import torch

from dsn_saal.losses import CrossEntropy, total
from dsn_saal.models import build_network, set_dropout_generator
from dsn_saal.train.machine import Machine, prepare

SIDE = {
    "tap": "after_relu",
    "channels": 21,
    "merge": "sum",
    "fuse_channels": 1,
    "side_bn": False,
    "side_init": "normal_0.01",
}
BAR = 1.05
"""Step time of "pool first" over plain, at most, at the published size."""

BAR_SIZE = {"image_size": 224, "width": 1.0}
VARIANTS = {"plain": None, "pool first": SIDE, "naive": SIDE | {"pool_first": False}}


def make_step(side: dict | None, args: argparse.Namespace, machine: Machine) -> Callable[[], None]:
    """One training step of one variant, ready to be called again and again."""
    generator = torch.Generator().manual_seed(0)
    network = build_network(
        "vgg16_bn",
        n_classes=3,
        image_size=args.image_size,
        width=args.width,
        conv1="sum",
        dropout=0.5,
        side=side,
        generator=generator,
    )
    network = network.to(machine.device).to(memory_format=machine.memory_format).train()
    set_dropout_generator(network, torch.Generator(machine.device).manual_seed(0))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, fused=True)
    images = torch.randn(args.batch, 1, args.image_size, args.image_size, generator=generator).to(machine.device)
    images = images.contiguous(memory_format=machine.memory_format)
    labels = torch.arange(args.batch, device=machine.device) % 3
    loss = CrossEntropy()

    def step() -> None:
        with machine.autocast():
            outputs = network(images)
        optimizer.zero_grad(set_to_none=True)
        total(loss(torch.stack(outputs), labels), 1.0).backward()
        optimizer.step()
        if machine.device.type == "cuda":
            torch.cuda.synchronize()

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    machine = prepare(args.device, precision=args.precision, threads=args.threads)
    steps = {name: make_step(side, args, machine) for name, side in VARIANTS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(args.rounds + 2):
        for name, step in steps.items():
            begun = time.perf_counter()
            step()
            if turn >= 2:  # the first steps choose kernels and fill caches
                seconds[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{machine.name}, {machine.precision}, {args.image_size} px, width {args.width}, batch {args.batch}")
    ratios = {
        name: statistics.median(a / b for a, b in zip(seconds[name], seconds["plain"], strict=True)) for name in steps
    }
    for name, median in medians.items():
        print(f"{name:12s} {1000 * median:9.2f} ms  {args.batch / median:8.1f} images/s  {ratios[name]:6.3f} x plain")
    print(told_bar(args.image_size, args.width, ratios["pool first"]))


def told_bar(image_size: int, width: float, ratio: float) -> str:
    """The bar, the size that it is for, and whether this run was of that size."""
    bar = f"bar: pool first at most {BAR} x plain, at {BAR_SIZE['image_size']} px and width {BAR_SIZE['width']:g}: "
    if {"image_size": image_size, "width": width} != BAR_SIZE:
        return bar + "this run was not of that size (--image-size 224 --width 1)"
    return bar + f"this run was of that size, and {'holds it' if ratio <= BAR else 'DOES NOT hold it'}"


if __name__ == "__main__":
    main()
