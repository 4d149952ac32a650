"""What training says of how far it is: speed, time left of the whole job, and texts as they are."""

import io
import re
import sys

import pytest
import torch

from dsn_saal.train import clock, progress
from dsn_saal.train.loop import Run, Schedule
from dsn_saal.train.pretrain import ContrastPhase
from dsn_saal.train.progress import CONTRAST_COST, TrainingProgress


class Time:
    """A clock that goes when it is told to."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    told = Time()
    monkeypatch.setattr(progress, "time", told)
    monkeypatch.setattr(clock, "time", told)
    return told


class At:
    """A run at a position, as far as progress looks at it."""

    def __init__(self, epoch=0, step=0, history=()):
        self.epoch, self.step, self.history = epoch, step, list(history)


def schedule(epochs, batch_size, drop_last=False):
    return Schedule(epochs=epochs, lr=1.0, batch_size=batch_size, drop_last=drop_last)


def test_a_line_tells_speed_and_the_time_left_of_all_runs(time, capsys):
    with TrainingProgress("tiny", 3, 4, 10) as told:
        told.take_up(0, 25, schedule(4, 10))  # 100 images a run
        told.begin(0, At())
        time.now += 40
        told.step(At(1, 2, [{"loss": 1.4321}]))  # 45 images in 40 s: 255 are left
    assert capsys.readouterr().err == "tiny: run 1/3, epoch 2/4, loss 1.432, 1 images/s, 0:03:47 left\n"


def test_lines_keep_their_rhythm(time, capsys):
    with TrainingProgress("tiny", 1, 4, 10) as told:
        told.take_up(0, 1000, schedule(4, 10))
        told.begin(0, At())
        for step in range(1, 95):
            time.now += 1
            told.step(At(0, step))
    assert len(capsys.readouterr().err.splitlines()) == 3  # more than 30 seconds apart, in 94


def test_runs_that_are_there_are_not_waited_for(time, capsys):
    with TrainingProgress("tiny", 5, 1, 10) as told:
        told.expect([1, 4])
        told.take_up(1, 100, schedule(1, 10))
        told.begin(1, At())
        time.now += 50
        told.step(At(0, 5))  # a second an image: the rest of this run and the whole of run 5
        told.take_up(4, 100, schedule(1, 10))
        told.begin(4, At())
        time.now += 100
        told.step(At(0, 2))  # 70 images in 150 s, 80 to go
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("0:02:30 left") and second.endswith("0:02:51 left")


def test_what_an_earlier_start_trained_says_nothing_of_the_speed(time, capsys):
    with TrainingProgress("tiny", 1, 10, 10) as told:
        told.take_up(0, 100, schedule(10, 10))
        told.begin(0, At(5, 3))
        time.now += 70
        told.step(At(6, 0))
    last = capsys.readouterr().err.splitlines()[-1]
    assert "epoch 7/10, 1 images/s, 0:06:40 left" in last


def test_contrastive_phases_count_and_have_a_total(time, capsys):
    phases = [
        ContrastPhase("unlabelled", torch.zeros(90, 1), schedule(2, 20, drop_last=True)),  # 80 of 90, twice
        ContrastPhase("training_part", torch.zeros(30, 1), schedule(4, 20)),  # 30, four times: 280 in all
    ]
    with TrainingProgress("tiny", 2, 5, 10) as told:
        told.take_up(0, 30, schedule(5, 10), phases)
        told.begin_pretraining(0, At())
        time.now += 100
        told.step_of_pretraining(At(3, 1, [{"loss": 2.0}]))  # 160 + 30 + 20 images
        time.now += 100
        told.step_of_pretraining(At(5, 2))
        told.begin(0, At())
        time.now += 100
        told.step(At(2, 1))
    lines = capsys.readouterr().err.splitlines()
    run = 280 * CONTRAST_COST + 150
    left = (2 * run - 210 * CONTRAST_COST) * 100 / (210 * CONTRAST_COST)
    assert "run 1/2, pretraining epoch 4/6, loss 2, 2 images/s" in lines[0] and seconds(lines[0]) == round(left)
    worked = 280 * CONTRAST_COST + 70
    assert "epoch 3/5, 1 images/s" in lines[2] and seconds(lines[2]) == round((2 * run - worked) * 300 / worked)


def seconds(line):
    hours, minutes, rest = map(int, re.search(r"(\d+):(\d+):(\d+) left", line).groups())
    return 3600 * hours + 60 * minutes + rest


class Terminal(io.StringIO):
    """A terminal that remembers what was drawn."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Puts a terminal in the place of standard error; gives what it shows, without colours and moves of the cursor."""

    def begin():
        drawn = Terminal()
        monkeypatch.setattr(sys, "stderr", drawn)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "200")
        return lambda: re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.getvalue())

    return begin


@pytest.mark.parametrize("text", ["a path [/b] here", "[bold]found[/bold] in [case 1]"])
def test_texts_are_no_markup(terminal, text):
    shown = terminal()
    with TrainingProgress("tiny", 1, 1, 10) as told:
        told.say(text)
    assert text in shown() and "tiny: " not in shown()


def test_the_bar_is_full_when_the_last_run_is_at_its_end(time, terminal):
    shown = terminal()
    with TrainingProgress("tiny", 2, 2, 10) as told:
        for number in range(2):
            told.take_up(number, 25, schedule(2, 10))
            told.begin(number, At())
            time.now += 10
            told.step(At(1, 3, [{"loss": 1.0}]))
            assert told.bar.tasks[0].completed == pytest.approx((number + 1) / 2)
    assert "run 2/2, epoch 2/2, loss 1, 5 images/s, 0:00:00 left" in shown()


def test_a_real_job_tells_both(place, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", -1.0)
    place().train(deep=False, runs=2)
    lines = [line for line in capsys.readouterr().err.splitlines() if "epoch" in line]
    assert len(lines) == 12 and all(re.search(r", \d+ images/s, \d+:\d\d:\d\d left$", line) for line in lines)


def test_progress_asks_nothing_of_the_device():
    """It sees a run whose tensors would raise."""
    run = Run(*[None] * 6, history=[{"loss": 1.0}])
    told = TrainingProgress("tiny", 1, 2, 10)
    told.take_up(0, 30, schedule(2, 10))
    told.begin(0, run)
    run.step = 1
    told.step(run)
    assert told.clock.images == 10
