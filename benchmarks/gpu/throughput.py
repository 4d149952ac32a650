"""Training throughput of every network on a GPU: images/s, and what share of the device's measured ceilings that is.

Each line of the result is one network in one arithmetic, trained by the project's own loop on random images. A line
that is in the result file already is not measured again: stop the script at any time and start it anew. It begins
nothing new after --minutes, and no compilation unless --compile-minutes of them are left: the next call takes it up.
A measurement that fails leaves a line that says so; take the line away to try again. It needs torch, torchvision,
numpy, safetensors and this repository's src on the path.

    PYTHONPATH=src python benchmarks/gpu/throughput.py --out throughput.jsonl --minutes 9
    PYTHONPATH=src python benchmarks/gpu/throughput.py --out throughput.jsonl --profile       # where the time goes
    PYTHONPATH=src python benchmarks/gpu/throughput.py --out throughput.jsonl --summary       # the table
    PYTHONPATH=src python benchmarks/gpu/throughput.py --out smoke.jsonl --smoke              # tiny, on a CPU
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from ceilings import Traffic, copy_ceiling, matrix_ceiling, set_tf32, wait
from jsonl import append_line, circumstances, read_lines
from profiled import profile_of, told_profile
from throughput_table import told
from workload import CE, CLASSES, REGIMEN, SAAL, SIDE

from dsn_saal.data import ResidentImages
from dsn_saal.models.flops import count_flops
from dsn_saal.train.loop import Run, train
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.recipe import Recipe, build_run, compile_network

NETWORKS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "dsn_vgg16_bn": ("vgg16_bn", SIDE), "dsn_vgg16_bn, naive": ("vgg16_bn", SIDE | {"pool_first": False}),
    "vgg16_bn": ("vgg16_bn", None),
    "resnet50": ("resnet50", None), "dsn_resnet50": ("resnet50", SIDE),
    "resnext50": ("resnext50", None), "dsn_resnext50": ("resnext50", SIDE),
    "densenet169": ("densenet169", None), "dsn_densenet169": ("densenet169", SIDE),
    "mobilenet_v2": ("mobilenet_v2", None),
}  # fmt: skip
FIRST = ("dsn_vgg16_bn", "dsn_vgg16_bn, naive", "vgg16_bn")
"""Networks that the paper's method is about: their slow arithmetics come before the others'."""

COMPILED = ", compiled"
ARITHMETICS = ("bf16", f"bf16{COMPILED}", "tf32", "fp32")
FREE = "bf16, not deterministic"
"""What determinism costs: kernels chosen by trying, and atomic sums allowed. No training uses it."""


def main() -> None:
    """Measure what the result file does not hold yet, or show what it holds."""
    args = parse()
    if args.summary:
        print(told(read_lines(args.out)))
        return
    machine = prepare("auto", precision="fp32", threads=1 if args.smoke else torch.get_num_threads())
    until = time.monotonic() + 60 * args.minutes
    later = []
    for key, measure in profiles(args, machine) if args.profile else measurements(args, machine):
        if key in {line["key"] for line in read_lines(args.out)}:
            continue
        left = until - time.monotonic()
        if left <= (60 * args.compile_minutes if COMPILED in key else 0):
            later.append(key)
            continue
        append_line(args.out, {"key": key, **circumstances(machine), "smoke": args.smoke, **attempted(args, measure)})
    print(told_profile(read_lines(args.out)) if args.profile else told(read_lines(args.out)))
    if later:
        print(f"time is up for {len(later)} of them, {later[0]} first; start again for the rest")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result file, one JSON object a line")
    parser.add_argument("--minutes", type=float, default=9.0, help="start nothing new after this (default: 9)")
    parser.add_argument(
        "--compile-minutes", type=float, default=4.0,
        help="begin a compilation only while these are left of --minutes (default: 4, a guess)",
    )  # fmt: skip
    parser.add_argument("--batch", type=int, default=128, help="images per step (default: 128)")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--images", type=int, default=2048, help="images on the device")
    parser.add_argument("--profile", action="store_true", help="profile DSN-SAAL and VGG-16 instead")
    parser.add_argument("--summary", action="store_true", help="print the table of --out and measure nothing")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does every line run at all?")
    args = parser.parse_args()
    if args.smoke:
        args.batch, args.image_size, args.images = 2, 32, 4
    args.width = 0.05 if args.smoke else 1.0
    return args


def attempted(args: argparse.Namespace, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The measurement; on a real device one that fails must not keep the others from being made."""
    try:
        return measure()
    except Exception as error:
        if args.smoke:
            raise
        return {"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}"}


Measurement = tuple[str, Callable[[], dict[str, Any]]]


def measurements(args: argparse.Namespace, machine: Machine) -> Iterator[Measurement]:
    """Key and measurement of every line: the ceilings, then what matters most."""
    side = 64 if args.smoke else 8192
    for kind in ("bf16", "tf32", "fp32"):
        yield f"matrix product, {kind}", lambda kind=kind: {"tflops": matrix_ceiling(machine, kind, side)}
    yield "copy", lambda: {"gb_per_s": copy_ceiling(machine, 2**20 if args.smoke else 2**32)}
    wanted = [(name, "bf16") for name in NETWORKS] + [("dsn_vgg16_bn", FREE)]
    wanted += [(name, arithmetic) for arithmetic in ARITHMETICS[1:] for name in FIRST]
    if not args.smoke:  # on a CPU, TF32 is float32 and compiling takes minutes
        wanted += [(name, arithmetic) for arithmetic in ARITHMETICS[1:] for name in NETWORKS if name not in FIRST]
    for name, arithmetic in wanted:
        if not (args.smoke and COMPILED in arithmetic):
            key = f"{name}, {arithmetic}, batch {args.batch}"
            yield key, lambda name=name, arithmetic=arithmetic: training(args, machine, name, arithmetic)


def profiles(args: argparse.Namespace, machine: Machine) -> Iterator[Measurement]:
    """Key and measurement of every profile."""
    for name in FIRST:
        yield f"profile of {name}, bf16, batch {args.batch}", lambda name=name: profiled(args, machine, name)


def training(args: argparse.Namespace, machine: Machine, name: str, arithmetic: str) -> dict[str, Any]:
    """Images per second of the loop: the median of three epochs after one that warms up."""
    run, here, epoch = prepared(args, machine, name, arithmetic)
    flops = count_flops(run.network, args.image_size).training
    run.network.train()
    traffic = None
    if COMPILED in arithmetic:
        compile_network(run.network)
    else:
        with Traffic() as counted:
            epoch()
        traffic = counted.bytes / args.images
    seconds = []
    for _ in range(2 if args.smoke else 4):
        wait(here)
        begun = time.perf_counter()
        epoch()
        wait(here)
        seconds.append(time.perf_counter() - begun)
    rate = args.images / statistics.median(seconds[1:])
    return {
        "network": name, "arithmetic": arithmetic, "batch": args.batch, "size": args.image_size,
        "images_per_s": round(rate, 1), "tflops": rate * flops / 1e12, "bytes_per_image": traffic,
        "epochs_s": [round(value, 4) for value in seconds],
    }  # fmt: skip


def profiled(args: argparse.Namespace, machine: Machine, name: str) -> dict[str, Any]:
    """Where the time of an epoch goes, after one that warms up."""
    _, here, epoch = prepared(args, machine, name, "bf16")
    epoch()
    return {"network": name, "batch": args.batch, "size": args.image_size, **profile_of(epoch, here)}


def prepared(
    args: argparse.Namespace, machine: Machine, name: str, arithmetic: str
) -> tuple[Run, Machine, Callable[[], None]]:
    """A run, its arithmetic, and what trains it one more epoch: SAAL where there are sides, cross-entropy else."""
    torch.use_deterministic_algorithms(arithmetic != FREE)
    torch.backends.cudnn.benchmark = arithmetic == FREE
    set_tf32(arithmetic == "tf32")
    here = Machine(machine.device, machine.name, "bf16" if arithmetic.startswith("bf16") else "fp32")
    backbone, side = NETWORKS[name]
    network = {
        "backbone": backbone, "n_classes": 3, "image_size": args.image_size, "width": args.width, "conv1": "sum",
        "dropout": 0.5, "side": side, "weights": "none",
    }  # fmt: skip
    recipe = Recipe(network, SAAL if side else CE, REGIMEN | {"batch_size": args.batch})
    labels = (torch.arange(args.images) % 3).to(here.device)
    run = build_run(recipe, seed=0, counts=torch.bincount(labels).tolist(), machine=here)
    generator = torch.Generator().manual_seed(0)
    shape = (args.images, args.image_size, args.image_size)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    images = ResidentImages(pixels.numpy(), device=here.device, normalise="imagenet_grey")

    def epoch() -> None:
        run.epoch = 0
        train(
            run, images, labels, classes=CLASSES, schedule=recipe.schedule, machine=here, after_step=lambda _: None
        )  # fmt: skip

    return run, here, epoch


if __name__ == "__main__":
    main()
