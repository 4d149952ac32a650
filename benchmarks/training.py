"""Our loop beside two plain ones on the same networks and images: torchvision's reference script, and timm's.

The plain loops read PNG files through a DataLoader with workers and keep NCHW; torchvision's steps an unfused SGD and
looks at the loss after every step, timm's uses its own loader and optimizer. timm is no part of the environment; the
extra `benchmarks` of pyproject.toml has it, and without it the others are measured. All
take an epoch in turn; printed are median images per second of each network, the ratios within one run, and the share
of our step that goes into making the batch.

    python benchmarks/training.py --networks vgg16_bn --images 256 --rounds 5
    python benchmarks/training.py                       # every backbone, a few minutes on two cores
    uv pip install --no-build-isolation --editable '.[benchmarks]'   # adds timm to the environment
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `dsn-saal train` does, for both

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from dsn_saal.data import ResidentImages
from dsn_saal.losses import CrossEntropy
from dsn_saal.models import Network, build_network, set_dropout_generator
from dsn_saal.train.loop import Run, Schedule, train
from dsn_saal.train.machine import Machine, prepare
from dsn_saal.train.tally import Tally

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "normal_0.01", "pool_first": None,
}  # fmt: skip
NETWORKS = {
    "vgg16_bn": ("vgg16_bn", None), "dsn_vgg16_bn": ("vgg16_bn", SIDE), "resnet50": ("resnet50", None),
    "resnext50": ("resnext50", None), "densenet169": ("densenet169", None), "mobilenet_v2": ("mobilenet_v2", None),
}  # fmt: skip

INSTALL_TIMM = "uv pip install --no-build-isolation --editable '.[benchmarks]'"
"""In the repository's root, with the environment active: nothing that the lock file pins changes by it."""

Epoch = Callable[[], None]


def make_network(name: str, args: argparse.Namespace, machine: Machine) -> Network:
    """The same network for every loop."""
    backbone, side = NETWORKS[name]
    network = build_network(
        backbone, n_classes=3, image_size=args.image_size, width=args.width, conv1="sum", dropout=0.5, side=side,
        generator=torch.Generator().manual_seed(0),
    ).to(machine.device)  # fmt: skip
    set_dropout_generator(network, torch.Generator(machine.device).manual_seed(0))
    return network.train()


def our_epoch(name: str, args: argparse.Namespace, machine: Machine, pixels: np.ndarray) -> Epoch:
    """One epoch of `dsn_saal.train.loop`, ready to be called again."""
    network = make_network(name, args, machine).to(memory_format=machine.memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, fused=True)
    loss = CrossEntropy()
    order = torch.empty(len(pixels), dtype=torch.int64, device=machine.device)
    generators = {"order": torch.Generator().manual_seed(0)}
    tally = Tally(loss.parts, network.n_outputs, machine.device)
    run = Run(network, loss, optimizer, generators, tally, order)
    images = ResidentImages(pixels, device=machine.device, normalise="imagenet_grey")
    labels = torch.arange(len(pixels), device=machine.device) % 3

    def epoch() -> None:
        run.epoch = 0
        schedule = Schedule(epochs=1, lr=1e-3, batch_size=args.batch)
        train(
            run, images, labels, classes=("a", "b", "c"), schedule=schedule, machine=machine, after_step=lambda _: None
        )

    return epoch


def torchvision_epoch(name: str, args: argparse.Namespace, machine: Machine, folder: Path) -> Epoch:
    """One epoch in the style of torchvision's references/classification."""
    network = make_network(name, args, machine)
    transform = transforms.Compose(
        [transforms.Grayscale(), transforms.ToTensor(), transforms.Normalize([0.449], [0.226])]
    )
    loader = DataLoader(
        datasets.ImageFolder(str(folder), transform), batch_size=args.batch, shuffle=True, num_workers=args.workers
    )
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, foreach=False)

    def epoch() -> None:
        for images, targets in loader:
            images, targets = images.to(machine.device), targets.to(machine.device)
            # The reference trains one output; a sum over side outputs costs the others what it costs us.
            loss = sum(criterion(output, targets) for output in network(images))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()

    return epoch


def timm_epoch(name: str, args: argparse.Namespace, machine: Machine, folder: Path) -> Epoch | None:
    """One epoch with timm's loader, optimizer and order of steps; None where timm is not installed."""
    try:
        from timm.data import create_dataset, create_loader
        from timm.optim import create_optimizer_v2
    except ImportError:
        return None
    network = make_network(name, args, machine)
    loader = create_loader(
        create_dataset("", root=str(folder), input_img_mode="L"),
        input_size=(1, args.image_size, args.image_size), batch_size=args.batch, is_training=True, no_aug=True,
        mean=(0.449,), std=(0.226,), num_workers=args.workers, use_prefetcher=False, device=machine.device,
    )  # fmt: skip
    optimizer = create_optimizer_v2(network, opt="sgd", lr=1e-3, momentum=0.9, weight_decay=5e-4)
    criterion = torch.nn.CrossEntropyLoss()

    def epoch() -> None:
        for images, targets in loader:
            images, targets = images.to(machine.device), targets.to(machine.device)
            loss = sum(criterion(output, targets) for output in network(images))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return epoch


def write_folder(folder: Path, pixels: np.ndarray) -> None:
    """The images as a tree of PNG files by class."""
    for position, image in enumerate(pixels):
        path = folder / f"class{position % 3}" / f"{position}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    machine = prepare(args.device, precision=args.precision, threads=args.threads)
    pixels = np.random.default_rng(0).integers(0, 256, (args.images, args.image_size, args.image_size), dtype=np.uint8)
    print(f"{machine.name}, {machine.precision}, {args.image_size} px, width {args.width}, batch {args.batch}")
    heads = ("ours", "torchvision", "timm", "ours/torchvision", "ours/timm", "batch making")
    print(f"{'images/s':14s}" + "".join(f"{head:>18s}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), pixels)
        for name in args.networks:
            print(
                f"{name:14s}" + "".join(f"{cell:>18s}" for cell in measured(name, args, machine, pixels, Path(folder)))
            )
    if importlib.util.find_spec("timm") is None:
        print(f"timm is not installed: {INSTALL_TIMM}")


def measured(
    name: str, args: argparse.Namespace, machine: Machine, pixels: np.ndarray, folder: Path
) -> tuple[str, ...]:
    """The cells of one network's row."""
    epochs = {
        "ours": our_epoch(name, args, machine, pixels),
        "torchvision": torchvision_epoch(name, args, machine, folder),
        "timm": timm_epoch(name, args, machine, folder),
    }
    speeds: dict[str, list[float]] = {kind: [] for kind, epoch in epochs.items() if epoch}
    for turn in range(args.rounds + 1):
        for kind, epoch in epochs.items():
            if epoch is None:
                continue
            begun = time.perf_counter()
            epoch()
            if machine.device.type == "cuda":
                torch.cuda.synchronize()
            if turn:  # the first round starts workers and chooses kernels
                speeds[kind].append(args.images / (time.perf_counter() - begun))
    rates = [f"{statistics.median(speeds[kind]):.1f}" if kind in speeds else "not installed" for kind in epochs]
    ratios = [
        f"{statistics.median(a / b for a, b in zip(speeds['ours'], speeds[kind], strict=True)):.2f}"
        if kind in speeds
        else "?"
        for kind in ("torchvision", "timm")
    ]
    return (*rates, *ratios, f"{100 * feeding_share(args, machine, pixels, speeds['ours']):.2f} %")


def feeding_share(args: argparse.Namespace, machine: Machine, pixels: np.ndarray, speeds: list[float]) -> float:
    """Time to gather and normalise a batch over the time of a whole step."""
    images = ResidentImages(pixels, device=machine.device, normalise="imagenet_grey")
    index = torch.arange(args.batch, device=machine.device)
    seconds = []
    for _ in range(50):
        begun = time.perf_counter()
        images.batch(index)
        if machine.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * statistics.median(speeds) / args.batch


if __name__ == "__main__":
    main()
