"""The section on alpha and beta: its sentences follow from the files, whichever way they fall."""

import json

import pytest

from dsn_saal.params.report_job import report_job
from dsn_saal.report.study import study_facts

NAMES = ["dsn_saal", "dsn_saal_no_decay", "dsn_saal_informed"]


@pytest.fixture
def study(cohort, small_settings):
    """Makes the facts from the last alphas and the macro recalls of each variant's runs."""
    fake, settings = cohort(), small_settings(report__saal_ablation=NAMES)

    def make(ends, recalls):
        summaries, training = {}, {}
        for name in NAMES:
            summaries[name] = fake.evaluate(name) / "summary.json"
            held = json.loads(summaries[name].read_text())
            held["metrics"]["sensitivity.macro"]["values"] = recalls[name]
            summaries[name].write_text(json.dumps(held))
            training[name] = fake.train(name, settings, ends=ends[name])
        return study_facts(report_job(settings), summaries, training)

    return make


RECALLS = {name: [0.5, 0.6, 0.7] for name in NAMES}
ENDS = {"dsn_saal": (0.3, 0.4, 0.2), "dsn_saal_no_decay": (0.4,), "dsn_saal_informed": (0.99, 0.999, 0.98)}


def test_the_numbers_are_those_of_the_histories(study):
    facts = study(ENDS, RECALLS)
    assert "started at 0.50000 and ended at 0.20000–0.40000" in facts["study_learned"]
    assert facts["study_needed"].startswith("With 9, 19 and 7 training images a class the class weights differ by less")
    assert facts["study_needed"].endswith("2.714 times the smallest.")
    assert facts["study_balance"].endswith("more than 1 % apart only in: DSN-SAAL, informed start.")
    assert [row["alpha"] for row in facts["study_variants"]] == ["0.40000", "0.98000–0.99900"]


def test_the_hidden_decay_of_the_rate_is_start_over_end(study):
    ends = ENDS | {"dsn_saal": (0.9,)}
    sentence = study(ends, RECALLS)["study_scale"]
    start, end = (sum((1 - a) / (1 - a**k) for k in (9, 19, 7)) / 3 for a in (0.5, 0.9))
    assert f"{start:.3g} to {end:.3g}" in sentence and f"by {start / end:.3g} on top" in sentence


@pytest.mark.parametrize(
    ("no_decay", "informed", "verdict"),
    [
        (
            [0.6, 0.7, 0.8],
            [0.4, 0.5, 0.6],
            "higher in every run with: DSN-SAAL, no decay – and lower in every run with:",
        ),
        ([0.6, 0.6, 0.8], [0.4, 0.7, 0.6], "no change moved macro recall the same way in every run"),
        ([0.6, None, 0.8], [0.6, 0.7, 0.8], "higher in every run with: DSN-SAAL, informed start."),
    ],
)
def test_the_verdict_counts_runs_and_claims_no_more(study, no_decay, informed, verdict):
    recalls = dict(zip(NAMES, ([0.5, 0.6, 0.7], no_decay, informed), strict=True))
    facts = study(ENDS, recalls)
    assert verdict in facts["study_verdict"]
    assert ("undefined" in facts["study_variants"][0]["change"]) == (None in no_decay)
