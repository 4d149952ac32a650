"""Training throughput of every network on a GPU: images/s, and what share of the device's measured ceiling that is.

Each line of the result is one network in one arithmetic, trained by the project's own loop on random images. A line
that is in the result file already is not measured again: stop the script at any time and start it anew. It begins
nothing new after --minutes. It needs torch, torchvision, numpy, safetensors and this repository's src on the path.

    PYTHONPATH=src python benchmarks/gpu/throughput.py --out throughput.jsonl --minutes 9
    PYTHONPATH=src python benchmarks/gpu/throughput.py --out smoke.jsonl --smoke          # a minute on a CPU
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from dsn_saal.data import ResidentImages
from dsn_saal.losses import CrossEntropy, Loss, Saal
from dsn_saal.models import build_network, set_dropout_generator
from dsn_saal.models.flops import count_flops
from dsn_saal.train.loop import Run, Schedule, train
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.tally import Tally

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "normal_0.01", "pool_first": None,
}  # fmt: skip
NETWORKS = {
    "vgg16_bn": ("vgg16_bn", None), "dsn_vgg16_bn": ("vgg16_bn", SIDE),
    "dsn_vgg16_bn, naive": ("vgg16_bn", SIDE | {"pool_first": False}),
    "resnet50": ("resnet50", None), "dsn_resnet50": ("resnet50", SIDE),
    "resnext50": ("resnext50", None), "dsn_resnext50": ("resnext50", SIDE),
    "densenet169": ("densenet169", None), "dsn_densenet169": ("densenet169", SIDE),
    "mobilenet_v2": ("mobilenet_v2", None),
}  # fmt: skip
ARITHMETICS = ("bf16", "bf16, compiled", "tf32", "fp32")


def main() -> None:
    """Measure what the result file does not hold yet."""
    args = parse()
    machine = prepare("auto", precision="fp32", threads=torch.get_num_threads())
    device = {"device": machine.name, "torch": torch.__version__, "smoke": args.smoke}
    begun = time.monotonic()
    for key, measure in measurements(args, machine):
        if key in done(args.out):
            continue
        if time.monotonic() - begun > 60 * args.minutes:
            print("time is up; start again for the rest")
            return
        line = {"key": key, **device, **measure()}
        with args.out.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result file, one JSON object a line")
    parser.add_argument("--minutes", type=float, default=9.0, help="start nothing new after this (default: 9)")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--images", type=int, default=2048, help="images on the device")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does every line run at all?")
    args = parser.parse_args()
    if args.smoke:
        args.batch, args.image_size, args.images = 2, 32, 4
    args.width = 0.05 if args.smoke else 1.0
    return args


def done(path: Path) -> set[str]:
    """Keys of the lines that are there."""
    if not path.exists():
        return set()
    return {json.loads(line)["key"] for line in path.read_text(encoding="utf-8").splitlines()}


def measurements(args: argparse.Namespace, machine: Machine) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Key and measurement of every line, the ceilings first."""
    side = 64 if args.smoke else 8192
    for kind in ("bf16", "tf32", "fp32"):
        yield f"matrix product, {kind}", lambda kind=kind: {"tflops": matrix_ceiling(machine, kind, side)}
    yield "copy", lambda: {"gb_per_s": copy_ceiling(machine, 2**20 if args.smoke else 2**30)}
    for arithmetic in ARITHMETICS:
        if args.smoke and "compiled" in arithmetic:
            continue
        for name, (backbone, spec) in NETWORKS.items():
            yield (
                f"{name}, {arithmetic}",
                lambda backbone=backbone, spec=spec, arithmetic=arithmetic: training(
                    args, machine, backbone, spec, arithmetic
                ),
            )


def training(
    args: argparse.Namespace, machine: Machine, backbone: str, spec: dict[str, Any] | None, arithmetic: str
) -> dict[str, Any]:
    """Images per second of the loop: the median of three epochs after one that warms up."""
    set_tf32(arithmetic == "tf32")
    precision = "bf16" if arithmetic.startswith("bf16") else "fp32"
    here = Machine(machine.device, machine.name, precision)
    run = new_run(args, here, backbone, spec)
    flops = count_flops(run.network, args.image_size).training
    run.network.train()
    if "compiled" in arithmetic:
        run.network.compile()
    pixels = torch.randint(0, 256, (args.images, args.image_size, args.image_size), dtype=torch.uint8)
    images = ResidentImages(pixels.numpy(), device=here.device, normalise="imagenet_grey")
    labels = (torch.arange(args.images) % 3).to(here.device)
    seconds = [epoch_seconds(run, images, labels, here, args, number) for number in range(1, 5)]
    rate = args.images / statistics.median(seconds[1:])
    return {"images_per_s": round(rate, 1), "tflops": rate * flops / 1e12, "batch": args.batch, "size": args.image_size}


def new_run(args: argparse.Namespace, machine: Machine, backbone: str, spec: dict[str, Any] | None) -> Run:
    """A run before its first step: SAAL where there are sides, cross-entropy else."""
    generator = torch.Generator().manual_seed(0)
    network = build_network(
        backbone, n_classes=3, image_size=args.image_size, width=args.width, conv1="sum", dropout=0.5, side=spec,
        generator=generator,
    )  # fmt: skip
    loss: Loss = CrossEntropy()
    if spec:
        loss = Saal(
            [1256, 2674, 980], n_outputs=network.n_outputs, n_beta=network.n_outputs, alpha_init="normal",
            beta_init="normal", log_zero=-4.0, normalise_weights=False, generator=generator,
        )  # fmt: skip
    network.to(machine.device).to(memory_format=machine.memory_format)
    loss.to(machine.device)
    generators = {"order": generator, "device": torch.Generator(machine.device).manual_seed(0)}
    set_dropout_generator(network, generators["device"])
    parameters = [*network.parameters(), *loss.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9, weight_decay=5e-4, fused=True)
    order = torch.empty(args.images, dtype=torch.int64, device=machine.device)
    return Run(network, loss, optimizer, generators, Tally(loss.parts, network.n_outputs, machine.device), order)


def epoch_seconds(
    run: Run, images: ResidentImages, labels: torch.Tensor, machine: Machine, args: argparse.Namespace, epochs: int
) -> float:
    """Seconds of one more epoch."""
    schedule = Schedule(epochs=epochs, lr=1e-4, batch_size=args.batch)
    wait(machine)
    begun = time.perf_counter()
    train(run, images, labels, classes=("a", "b", "c"), schedule=schedule, machine=machine, after_step=lambda _: None)
    wait(machine)
    return time.perf_counter() - begun


def matrix_ceiling(machine: Machine, kind: str, side: int) -> float:
    """Operations per second of a large matrix product: what no network can exceed."""
    set_tf32(kind == "tf32")
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32
    left = torch.randn(side, side, device=machine.device, dtype=dtype)
    return 2 * side**3 / fastest(lambda: left @ left, machine) / 1e12


def copy_ceiling(machine: Machine, size: int) -> float:
    """Bytes read and written per second by a copy on the device."""
    source = torch.zeros(size, dtype=torch.uint8, device=machine.device)
    target = torch.empty_like(source)
    return 2 * size / fastest(lambda: target.copy_(source), machine) / 1e9


def fastest(work: Callable[[], object], machine: Machine) -> float:
    """Seconds of the fastest of ten."""
    seconds = []
    for _ in range(10):
        wait(machine)
        begun = time.perf_counter()
        work()
        wait(machine)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def set_tf32(allowed: bool) -> None:
    """Let float32 products run in TF32, or not."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def wait(machine: Machine) -> None:
    """Until the device has finished."""
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)


if __name__ == "__main__":
    main()
