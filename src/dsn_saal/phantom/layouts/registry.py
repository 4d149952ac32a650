"""Names of readers to the layouts that phantoms are written in; CT series in class folders are the plain one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dsn_saal.phantom.cohort import CasePlan
from dsn_saal.phantom.layouts import covid_ct, covid_ct_md, covidx_ct, sars_cov_2
from dsn_saal.phantom.write import Files, Progress


class Layout(Protocol):
    """Draws the cases and gives every file of a stand-in."""

    def __call__(self, plans: Sequence[CasePlan], *, workers: int, progress: Progress) -> Files:
        """Path below the cohort's folder, and content, of every file."""


LAYOUTS: dict[str, Layout] = {
    "covid_ct_md": covid_ct_md.files,
    "covidx_ct": covidx_ct.files,
    "covid_ct": covid_ct.files,
    "sars_cov_2": sars_cov_2.files,
}
