"""How far training is: a bar on a terminal, else a line now and then. Times are told here and stored nowhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dsn_saal.train.contrast import Contrast
from dsn_saal.train.loop import Run
from dsn_saal.train.tally import Diverged

LINE_SECONDS = 30.0
"""Seconds between two lines where standard error is no terminal."""


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
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self.terminal,
        )
        self.task = self.bar.add_task(experiment, total=runs * epochs)
        self.number, self.steps, self.begun, self.first_step, self.spoken = 0, 1, 0.0, 0, 0.0

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """One line on standard error."""
        print(
            f"{self.experiment}: {text}", file=sys.stderr, flush=True
        ) if not self.terminal else self.bar.console.print(text)

    def begin(self, number: int, run: Run, steps: int) -> None:
        """Run `number` (from 0) starts or goes on; each of its epochs has `steps` steps."""
        self.number, self.steps, self.begun, self.spoken = number, steps, time.monotonic(), time.monotonic()
        self.first_step = self._done(run)
        if self.first_step:
            self.say(f"run {number + 1}/{self.runs} goes on at epoch {run.epoch + 1}, step {run.step + 1}")

    def step(self, run: Run) -> None:
        """A step is done."""
        if self.terminal:
            done = self.number * self.epochs + self._done(run) // self.steps
            self.bar.update(self.task, completed=done, description=self._where(run))
        elif time.monotonic() - self.spoken > LINE_SECONDS:
            self.spoken = time.monotonic()
            self.say(self._where(run))

    def begin_pretraining(self, number: int, run: Contrast) -> None:
        """The contrastive phases of run `number` (from 0) start or go on."""
        self.number, self.spoken = number, time.monotonic()
        if run.epoch or run.step:
            self.say(f"run {number + 1}/{self.runs} goes on at pretraining epoch {run.epoch + 1}, step {run.step + 1}")

    def step_of_pretraining(self, run: Contrast) -> None:
        """A step of the contrastive phases is done."""
        loss = f", loss {run.history[-1]['loss']:.4g}" if run.history else ""
        where = f"run {self.number + 1}/{self.runs}, pretraining epoch {run.epoch + 1}{loss}"
        if self.terminal:
            self.bar.update(self.task, description=where)
        elif time.monotonic() - self.spoken > LINE_SECONDS:
            self.spoken = time.monotonic()
            self.say(where)

    def end(self, run: Run) -> None:
        """The run is finished."""
        seconds = time.monotonic() - self.begun
        images = (self._done(run) - self.first_step) * self.batch_size
        last = run.history[-1]
        speed = images / max(seconds, 1e-9)
        self.say(
            f"run {self.number + 1}/{self.runs} finished in {seconds:.1f} s ({speed:.0f} images/s), "
            f"loss {last['loss']:.4g}, training accuracy {last['train_accuracy']:.3f}"
        )

    def fail(self, diverged: Diverged) -> None:
        """The run has diverged; the others go on."""
        found = diverged.found
        self.say(
            f"run {self.number + 1}/{self.runs} diverged at epoch {found['epoch']}, step {found['step']}: "
            f"{found['term']} is not finite; its history and failed.json are kept, the other runs go on"
        )

    def _done(self, run: Run) -> int:
        return run.epoch * self.steps + run.step

    def _where(self, run: Run) -> str:
        loss = f", loss {run.history[-1]['loss']:.4g}" if run.history else ""
        return f"run {self.number + 1}/{self.runs}, epoch {run.epoch + 1}/{self.epochs}{loss}"
