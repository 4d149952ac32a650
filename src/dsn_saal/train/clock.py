"""How fast a job goes and how long it still takes, from the images that went by."""

from __future__ import annotations

import time
from datetime import timedelta


class Clock:
    """Speed of what runs now, and time left of all runs of a job.

    Work is counted in images of the classifier; an image of a contrastive phase counts `cost` of them. Every run that
    is still to come counts as much as the present one. What a step calls does no more than note a number.
    """

    def __init__(self) -> None:
        self.images = 0
        self._of_run, self._later = 0.0, 0
        self._first, self._cost, self._before = 0, 1.0, 0.0
        self._worked, self._job_begun, self._begun = 0.0, 0.0, 0.0

    def take_up(self, work: float, *, later: int) -> None:
        """A run is next that is `work` in all; `later` runs come after it."""
        self._of_run, self._later = work, later

    def start(self, images: int, *, cost: float = 1.0, before: float = 0.0) -> None:
        """A part of the run starts, or goes on behind `images`; each counts `cost`, after `before` of work."""
        now = time.monotonic()
        self._worked += (self.images - self._first) * self._cost
        self._job_begun, self._begun = self._job_begun or now, now
        self.images = self._first = images
        self._cost, self._before = cost, before

    @property
    def speed(self) -> float:
        """Images per second of the part that runs."""
        return (self.images - self._first) / max(time.monotonic() - self._begun, 1e-9)

    @property
    def work_left(self) -> float:
        """Of all runs."""
        return self._of_run * (1 + self._later) - self._before - self.images * self._cost

    @property
    def seconds_left(self) -> float | None:
        """Of all runs, at the speed of the job so far; None before the first image."""
        worked = self._worked + (self.images - self._first) * self._cost
        return self.work_left * (time.monotonic() - self._job_begun) / worked if worked else None

    def words(self) -> str:
        """Speed and time left."""
        left = self.seconds_left
        told = "" if left is None else f", {timedelta(seconds=round(max(left, 0.0)))} left"
        return f"{self.speed:.0f} images/s{told}"
