"""Small stand-ins for the public sets, planned from params.yaml and written by the program."""

from __future__ import annotations

from pathlib import Path

import yaml

from dsn_saal.params.image_jobs import phantom_job
from dsn_saal.params.reading import resolve
from dsn_saal.phantom.cohort import plan_cohort, seed_of_set
from dsn_saal.phantom.layouts.registry import LAYOUTS
from dsn_saal.phantom.write import write_set

ROOT = Path(__file__).parents[3]

SIZES = {
    "covid_ct_md": (3, 12, (3, 5)),
    "covidx_ct": (5, 14, (2, 4)),
    "covid_ct": (7, 12, (1, 4)),
    "sars_cov_2": (3, 9, (2, 4)),
}
"""Cases, slices, and fewest and most slices of a case, for every class of a set."""


def silent(items, total):
    return iter(items)


def plans_of(name, size=None, **change):
    """Plans of a small cohort; `change` lays other values over the job's."""
    job = phantom_job(resolve(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))), name)
    cases, slices, each = size or SIZES[name]
    block = {
        "seed": seed_of_set(job.seed, job.reader),
        "mild_share": job.mild_share,
        "cases": dict.fromkeys(job.cohort.cases, cases),
        "slices": dict.fromkeys(job.cohort.cases, slices),
        "slices_per_case": each,
        "folders": job.folders,
        "drawn_as": job.drawn_as,
    }
    return plan_cohort(**{**block, **change})


def write_stand_in(name, out, workers=1, plans=None):
    write_set(LAYOUTS[name](plans or plans_of(name), workers=workers, progress=silent), out)
    return out
