"""How far training is: a bar on a terminal, else a line now and then. Times are told here and stored nowhere.

Nothing here asks the device for anything: positions, and losses of finished epochs, are known to the host.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from dsn_saal.train.clock import Clock
from dsn_saal.train.contrast import Contrast
from dsn_saal.train.loop import Run, Schedule
from dsn_saal.train.pretrain import ContrastPhase
from dsn_saal.train.tally import Diverged

LINE_SECONDS = 30.0
"""Seconds between two lines where standard error is no terminal."""

CONTRAST_COST = 4 / 3
"""What an image of a contrastive phase costs over one of the classifier's: to both passes of the query encoder, of
which the backward one is twice the forward one, the key encoder's forward pass comes."""


class TrainingProgress:
    """Progress of the runs of one experiment, on standard error.

    Args:
        experiment: its name.
        runs: how many runs the job has.
        epochs: epochs of each run.
        batch_size: images per step, for the speed.
    """

    def __init__(self, experiment: str, runs: int, epochs: int, batch_size: int) -> None:
        self.experiment, self.runs, self.epochs, self.batch_size = experiment, runs, epochs, batch_size
        self.terminal = sys.stderr.isatty()
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            console=Console(stderr=True),
            disable=not self.terminal,
        )
        self.task = self.bar.add_task(experiment, total=1.0)
        self.to_do: Sequence[int] = range(runs)
        self.number, self.begun, self.spoken = 0, 0.0, 0.0
        self.phases: Sequence[ContrastPhase] = ()
        self.images, self.of_run, self.clock = 1, 1.0, Clock()

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """One line on standard error, as it is: brackets in a path or a finding are no markup."""
        if self.terminal:
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(f"{self.experiment}: {text}", file=sys.stderr, flush=True)

    def expect(self, numbers: Sequence[int]) -> None:
        """These runs (from 0) are to be trained in this order; the others are there."""
        self.to_do = numbers

    def take_up(self, number: int, n_images: int, schedule: Schedule, phases: Sequence[ContrastPhase] = ()) -> None:
        """Run `number` (from 0) is next: so many images, by this schedule, after these contrastive phases."""
        self.number, self.phases, self.images = number, phases, _images_of_epoch(n_images, schedule)
        self.of_run = self._before() + self.epochs * self.images
        self.clock.take_up(self.of_run, later=len(self.to_do) - 1 - self.to_do.index(number))

    def begin(self, number: int, run: Run) -> None:
        """Run `number` (from 0) starts or goes on."""
        self.number, self.begun, self.spoken = number, time.monotonic(), time.monotonic()
        self.clock.start(self._position(run), before=self._before())
        if run.epoch or run.step:
            self.say(f"run {number + 1}/{self.runs} goes on at epoch {run.epoch + 1}, step {run.step + 1}")

    def step(self, run: Run) -> None:
        """A step is done."""
        self.clock.images = self._position(run)
        self._tell(f"epoch {run.epoch + 1}/{self.epochs}", run.history)

    def begin_pretraining(self, number: int, run: Contrast) -> None:
        """The contrastive phases of run `number` (from 0) start or go on."""
        self.number, self.spoken = number, time.monotonic()
        self.clock.start(self._position_in_phases(run), cost=CONTRAST_COST)
        if run.epoch or run.step:
            self.say(f"run {number + 1}/{self.runs} goes on at pretraining epoch {run.epoch + 1}, step {run.step + 1}")

    def step_of_pretraining(self, run: Contrast) -> None:
        """A step of the contrastive phases is done."""
        self.clock.images = self._position_in_phases(run)
        total = sum(phase.schedule.epochs for phase in self.phases)
        self._tell(f"pretraining epoch {run.epoch + 1}/{total}", run.history)

    def end(self, run: Run) -> None:
        """The run is finished."""
        seconds = time.monotonic() - self.begun
        last = run.history[-1]
        self.say(
            f"run {self.number + 1}/{self.runs} finished in {seconds:.1f} s ({self.clock.speed:.0f} images/s), "
            f"loss {last['loss']:.4g}, training accuracy {last['train_accuracy']:.3f}"
        )

    def fail(self, diverged: Diverged) -> None:
        """The run has diverged; the others go on."""
        found = diverged.found
        self.say(
            f"run {self.number + 1}/{self.runs} diverged at epoch {found['epoch']}, step {found['step']}: "
            f"{found['term']} is not finite; its history and failed.json are kept, the other runs go on"
        )

    def _tell(self, epoch: str, history: Sequence[dict[str, float]]) -> None:
        """Move the bar, or write a line where the last one is long ago."""
        if not self.terminal and time.monotonic() - self.spoken <= LINE_SECONDS:
            return
        loss = f", loss {history[-1]['loss']:.4g}" if history else ""
        where = f"run {self.number + 1}/{self.runs}, {epoch}{loss}, {self.clock.words()}"
        if self.terminal:
            share = 1 - self.clock.work_left / (self.runs * self.of_run)
            self.bar.update(self.task, completed=share, description=where)
        else:
            self.spoken = time.monotonic()
            self.say(where)

    def _position(self, run: Run) -> int:
        """Images of the run that went by."""
        return run.epoch * self.images + min(run.step * self.batch_size, self.images)

    def _position_in_phases(self, run: Contrast) -> int:
        """Images that the contrastive phases saw."""
        seen, epochs = 0, run.epoch
        for phase in self.phases:
            images, within = _images_of_epoch(len(phase.images), phase.schedule), min(epochs, phase.schedule.epochs)
            seen, epochs = seen + within * images, epochs - within
            if within < phase.schedule.epochs:
                return seen + min(run.step * phase.schedule.batch_size, images)
        return seen

    def _before(self) -> float:
        """Work of the contrastive phases."""
        epochs = ((phase.schedule.epochs, _images_of_epoch(len(phase.images), phase.schedule)) for phase in self.phases)
        return CONTRAST_COST * sum(number * images for number, images in epochs)


def _images_of_epoch(n_images: int, schedule: Schedule) -> int:
    """Images that go by in an epoch: all, or those of whole batches."""
    return min(n_images, schedule.steps(n_images) * schedule.batch_size)
