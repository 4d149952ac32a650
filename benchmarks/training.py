"""Our loop beside a plain loop in the style of torchvision's reference scripts, on the same network and images.

The plain loop reads PNG files with Pillow through a DataLoader with workers, keeps NCHW, steps an unfused SGD and looks
at the loss after every step. Both take an epoch in turn; printed are median images per second, their ratio, and the
share of our step that goes into making the batch.

    python benchmarks/training.py --image-size 64 --width 0.125 --images 256 --rounds 5
"""

from __future__ import annotations

import argparse
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


def make_network(args: argparse.Namespace, machine: Machine) -> Network:
    """The same plain VGG-16-BN for both loops."""
    network = build_network(
        "vgg16_bn",
        n_classes=3,
        image_size=args.image_size,
        width=args.width,
        conv1="sum",
        dropout=0.5,
        side=None,
        generator=torch.Generator().manual_seed(0),
    ).to(machine.device)
    set_dropout_generator(network, torch.Generator(machine.device).manual_seed(0))
    return network.train()


def our_epoch(args: argparse.Namespace, machine: Machine, pixels: np.ndarray) -> Callable[[], None]:
    """One epoch of `dsn_saal.train.loop`, ready to be called again."""
    network = make_network(args, machine).to(memory_format=machine.memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4, fused=True)
    loss = CrossEntropy()
    order = torch.empty(len(pixels), dtype=torch.int64, device=machine.device)
    generators = {"order": torch.Generator().manual_seed(0)}
    run = Run(network, loss, optimizer, generators, Tally(loss.parts, 1, machine.device), order)
    images = ResidentImages(pixels, device=machine.device, normalise="imagenet_grey")
    labels = torch.arange(len(pixels), device=machine.device) % 3

    def epoch() -> None:
        run.epoch = 0
        schedule = Schedule(epochs=1, lr=1e-3, batch_size=args.batch)
        train(
            run, images, labels, classes=("a", "b", "c"), schedule=schedule, machine=machine, after_step=lambda _: None
        )

    return epoch


def plain_epoch(args: argparse.Namespace, machine: Machine, folder: Path) -> Callable[[], None]:
    """One epoch in the style of torchvision's references/classification."""
    network = make_network(args, machine)
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
            output = network(images)[-1]
            loss = criterion(output, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()

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
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    machine = prepare(args.device, precision=args.precision, threads=args.threads)
    pixels = np.random.default_rng(0).integers(0, 256, (args.images, args.image_size, args.image_size), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as name:
        write_folder(Path(name), pixels)
        epochs = {"ours": our_epoch(args, machine, pixels), "plain": plain_epoch(args, machine, Path(name))}
        speeds: dict[str, list[float]] = {name: [] for name in epochs}
        for turn in range(args.rounds + 1):
            for kind, epoch in epochs.items():
                begun = time.perf_counter()
                epoch()
                if machine.device.type == "cuda":
                    torch.cuda.synchronize()
                if turn:  # the first round starts workers and chooses kernels
                    speeds[kind].append(args.images / (time.perf_counter() - begun))
    print(f"{machine.name}, {machine.precision}, {args.image_size} px, width {args.width}, batch {args.batch}")
    for kind, values in speeds.items():
        print(f"{kind:6s} {statistics.median(values):8.1f} images/s")
    ratio = statistics.median(a / b for a, b in zip(speeds["ours"], speeds["plain"], strict=True))
    print(f"ours / plain {ratio:.2f}")
    print(f"batch making {100 * feeding_share(args, machine, pixels, speeds['ours']):.2f} % of our step")


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
