r"""Real images on a GPU machine that has torch and not this project's environment: three steps.

pack    where the environment and the images are: preprocessed images, split, settings -> one small folder
train   on the GPU machine: every run of every experiment, without pretrained weights; goes on where it was stopped
unpack  back where the environment is: predictions -> the ordinary evaluation -> a small table to commit

    PYTHONPATH=src python benchmarks/gpu/real_images.py pack --dataset covid_ct --protocol official --scale paper \
        --results results --experiments vgg16_bn_ce dsn_vgg16_bn_ce vgg16_bn_saal dsn_saal --out carry/pack
    PYTHONPATH=src python benchmarks/gpu/real_images.py train --pack carry/pack --out carry/runs --minutes 9
    PYTHONPATH=src python benchmarks/gpu/real_images.py unpack --pack carry/pack --runs carry/runs \
        --out benchmarks/gpu/results/covid_ct
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dsn_saal.domain.errors import DsnSaalError


def main(arguments: list[str] | None = None) -> int:
    """One step; exit code 0 good, 1 a check failed, 2 a bad request."""
    args = parse(arguments)
    try:
        if args.step == "pack":
            from images_pack import pack

            pack(args)
        elif args.step == "train":
            from images_train import train_all

            train_all(args)
        else:
            from images_unpack import unpack

            unpack(args)
    except DsnSaalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    pack = steps.add_parser("pack", help="images, split and settings into one small folder")
    pack.add_argument("--dataset", required=True, help="data set of params.yaml")
    pack.add_argument("--protocol", required=True, help="its split; one draw")
    pack.add_argument("--experiments", nargs="+", required=True, help="of params.yaml: their model, loss and method")
    pack.add_argument("--scale", choices=["demo", "paper"], help="scale of params.yaml (default: as it says)")
    pack.add_argument("--params", type=Path, default=Path("params.yaml"))
    pack.add_argument("--results", type=Path, default=Path("results"), help="folder with preprocess/ and split/")
    pack.add_argument("--regimen", help="of params.yaml, for all experiments (default: each one's own)")
    pack.add_argument("--batch-size", type=int, help="images per step (default: the regimen's)")
    pack.add_argument("--largest-mb", type=float, default=50.0, help="refuse a larger pack (default: 50)")
    pack.add_argument("--out", type=Path, required=True, help="folder of the pack; never commit it")
    train = steps.add_parser("train", help="every run that is not finished")
    train.add_argument("--pack", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True, help="folder of the runs, kept from one call to the next")
    train.add_argument(
        "--minutes", type=float, default=9.0, help="stop after this, in the middle of a run (default: 9)"
    )
    train.add_argument("--runs", type=int, help="runs of each experiment (default: as packed)")
    train.add_argument("--experiments", nargs="+", help="only these of the pack")
    train.add_argument("--device", default="auto")
    train.add_argument("--precision", help="auto, fp32, tf32 or bf16 (default: as packed)")
    train.add_argument("--checkpoint-seconds", type=float, default=60.0)
    unpack = steps.add_parser("unpack", help="evaluate the predictions and write the table")
    unpack.add_argument("--pack", type=Path, required=True)
    unpack.add_argument("--runs", type=Path, required=True)
    unpack.add_argument(
        "--out", type=Path, required=True, help="the table, without its ending: .md and .json are added"
    )
    unpack.add_argument("--note", help="what you say about the table: it goes into it, marked as yours")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
