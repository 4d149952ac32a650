"""One case, drawn: its patient, which levels were taken, and its slices. Every layout draws its cases here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsn_saal.phantom.cohort import CasePlan, choose_levels
from dsn_saal.phantom.patient import Patient, draw_patient
from dsn_saal.phantom.section import Slice, draw_slice

DRAWN, CHOSEN, HEADER, NOISE, FIGURE = range(5)
"""What a case's generators are for."""


@dataclass(frozen=True)
class Case:
    """A case: its plan, its patient, and the levels of its slices, lowest first."""

    plan: CasePlan
    patient: Patient
    levels: list[int]

    def slices(self) -> Iterator[Slice]:
        """Its slices, lowest first."""
        for level in self.levels:
            yield draw_slice(self.patient, level, self.plan.generator(NOISE, level))


def draw_case(plan: CasePlan) -> Case:
    """The case of a plan; OpenCV keeps to one thread from now on, as every process draws a case of its own."""
    cv2.setNumThreads(1)
    cv2.ipp.setUseIPP(False)  # other processors, other roundings
    patient = draw_patient(plan.class_name, plan.mild, plan.maker, plan.n_slices, plan.generator(DRAWN))
    return Case(plan, patient, choose_levels(plan.n_slices, patient.levels, plan.generator(CHOSEN)))


def truth_file(lungs: Sequence[NDArray[np.bool_]]) -> bytes:
    """True lungs of a series, lowest slice first, as a .npy file of packed bits (slices, rows, columns / 8)."""
    stream = io.BytesIO()
    np.save(stream, np.stack([np.packbits(mask, axis=1) for mask in lungs]), allow_pickle=False)
    return stream.getvalue()
