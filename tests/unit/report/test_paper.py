"""The printed paper: its words follow its files, phantoms say so on every page, what does not fit is refused."""

import dataclasses
import json

import pandas as pd
import pytest
from pypdf import PdfReader

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES
from dsn_saal.report.build import collect_facts
from dsn_saal.report.outcomes import _control_reading
from dsn_saal.storage.tables import write_table


def pages(path):
    return [" ".join(page.extract_text().replace("\u00a0", " ").split()) for page in PdfReader(path).pages]


def edit(path, change):
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


def test_phantoms_are_named_on_every_page(paper):
    texts = pages(paper().build())
    assert len(texts) >= 4 and all("PHANTOM DATA" in text for text in texts)
    whole = " ".join(texts)
    assert "Composition of COVID19-Diag (phantom data)" in whole and "test part of COVID19-Diag (phantom data)" in whole
    assert "no number here may be compared with one of theirs" in whole


def test_clinical_data_are_not_called_phantoms(paper):
    texts = pages(paper(origin="clinical").build())
    assert not any("phantom data" in text.lower() or "are phantoms" in text for text in texts)
    assert "The images behind the published results are not public" in texts[0]


def test_public_sets_are_printed_where_they_have_experiments(paper):
    text = " ".join(pages(paper().build()))
    assert "Public data sets" in text and "Quoted, clinical images: not comparable by test" in text


def test_a_paper_without_public_sets_prints_no_word_of_them(paper):
    one = paper(**{f"report__{name}": [] for name in PUBLIC_TABLES})
    text = " ".join(pages(one.build()))
    assert "Public data sets" not in text and "Fewer slices of one class" in text
    assert not set(PUBLIC_TABLES) & set(one.sources.tables)


def test_the_same_files_give_the_same_bytes(paper):
    one = paper()
    assert one.build("a.pdf").read_bytes() == one.build("b.pdf").read_bytes()
    assert b"CreationDate" not in (one.root / "a.pdf").read_bytes()


def test_results_in_sentences_are_those_of_the_summaries(paper):
    one = paper()
    whole = " ".join(pages(one.build()))
    for name in ("vgg16_bn_ce", "dsn_saal"):
        metrics = json.loads(one.summaries[name].read_text())["metrics"]
        accuracy, recall = metrics["accuracy.overall"], metrics["sensitivity.macro"]
        assert f"{accuracy['mean']:.3f} ± {accuracy['sd']:.3f} (95 % interval over cases" in whole
        assert f"recall of {recall['mean']:.3f} ± {recall['sd']:.3f}" in whole
    control = json.loads(one.summaries["vgg16_bn_ce_permuted"].read_text())["metrics"]["sensitivity.macro"]
    assert f"test part is {control['mean']:.3f} ± {control['sd']:.3f}" in whole and "guessing gives 0.333" in whole


@pytest.mark.parametrize("file", ["flow", "mask_quality", "summary", "table"])
def test_a_changed_number_in_a_file_changes_the_text(paper, file):
    one = paper()
    before = " ".join(pages(one.build("before.pdf")))
    if file == "flow":
        edit(one.sources.flow, lambda held: held.update(files=7777))
        wanted = "The source held 7777 files"
    elif file == "mask_quality":
        edit(one.sources.mask_quality, lambda held: held["hull_iou"].update(min=0.4242))
        wanted = "0.424 at worst"
    elif file == "summary":
        edit(one.summaries["dsn_saal"], lambda held: held["metrics"]["auc.ovr_macro"].update(mean=0.123, sd=0.0456))
        wanted = "0.123 ± 0.046"
    else:
        edit(one.sources.tables["table2"], lambda held: held["rows"][0].__setitem__(1, "8888"))
        wanted = "8888"
    after = " ".join(pages(one.build("after.pdf")))
    assert wanted in after and wanted not in before


def test_a_changed_parameter_changes_the_text(paper):
    whole = " ".join(
        pages(
            paper(
                regimens__paper__lr=0.0375,
                preprocess__window={"level_hu": -500, "width_hu": 1400, "formula": "exact", "rounding": "trunc"},
            ).build()
        )
    )
    assert "learning rate of 0.0375" in whole and "−1200 to 200 HU" in whole


def test_who_votes_is_said_beside_the_rule_for_the_epoch(paper):
    one = paper()
    before = " ".join(pages(one.build()))

    def vote(held):
        for entry in held["training"]:
            entry["record"]["voting_epochs"] = [7, 8]

    edit(one.summaries["self_trans"], vote)
    whole = " ".join(pages(one.build("after.pdf")))
    words = "The probabilities of Self-Trans are means over the networks of the last 2 epochs of a run."
    assert (
        f"no epoch is selected. {words} Each experiment is run" in whole and "probabilities of Self-Trans" not in before
    )


def test_only_a_baseline_and_no_control(paper):
    one = paper(report__table3=["vgg16_bn_ce"], report__figure4=["vgg16_bn_ce"], report__control=None)
    whole = " ".join(pages(one.build()))
    assert "DSN-SAAL reach" not in whole and "dealt out anew" not in whole and "Paired by run" not in whole
    assert "effective number of samples [" not in whole


def test_a_single_run_prints_no_spread(paper):
    whole = " ".join(pages(paper(train__runs=1).build()))
    assert "A single run has no spread" in whole and "no spread over runs can be given" in whole


def test_a_leaking_split_is_printed_in_so_many_words(paper):
    one = paper()
    edit(one.fake.certificate, lambda held: held.update(verdict="VIOLATED"))
    assert "The split leaks" in " ".join(pages(one.build()))


def test_masks_without_truth_say_why(paper):
    one = paper(origin="clinical")
    edit(
        one.sources.mask_quality, lambda held: held.update(hull_iou=None, hull_iou_missing_because="no truth beside it")
    )
    assert "cannot be measured: no truth beside it" in " ".join(pages(one.build()))


def test_the_inputs_hash_depends_on_every_file(paper):
    one = paper()
    before = collect_facts(one.job, one.sources)["inputs_sha256"]
    index = pd.read_parquet(one.fake.index_path)
    index.loc[3, "file_sha256"] = "f" * 64
    write_table(one.fake.index_path, index)
    assert collect_facts(one.job, one.sources)["inputs_sha256"] != before
    write_table(one.fake.index_path, index.iloc[::-1])
    assert collect_facts(one.job, one.sources)["input_files"] == f"{len(index)} files"


def refused(one, error, match, **sources):
    changed = dataclasses.replace(one.sources, **sources)
    one.sources = changed
    with pytest.raises(error, match=match):
        one.build()
    assert not list(one.root.glob("*paper.pdf*"))


def test_a_missing_summary_table_or_figure_is_refused(paper):
    one = paper()
    sources = one.sources
    refused(one, BadRequest, "where: --summary", summaries={"dsn_saal": sources.summaries["dsn_saal"]})
    refused(one, BadRequest, "where: --table", summaries=sources.summaries, tables={})
    refused(
        one, BadRequest, "not wanted: figure9", tables=sources.tables, figures={**sources.figures, "figure9": one.root}
    )
    (one.root / "figure3.svg").unlink()
    refused(one, BadRequest, "no figure3", figures=sources.figures)


def test_a_damaged_figure_is_refused(paper):
    one = paper()
    (one.root / "figure4.svg").write_text("<svg")
    refused(one, CheckFailed, "could not be set")


def test_files_that_speak_of_other_data_are_refused(paper):
    one = paper()
    edit(one.fake.flow, lambda held: held.update(origins={"clinical": 3}))
    refused(one, CheckFailed, "origin of the evaluation")
    edit(one.fake.flow, lambda held: held.update(origins={"phantom": 3}))
    edit(one.fake.certificate, lambda held: held["counts"]["test"]["normal"].update(slices=1))
    refused(one, CheckFailed, "test slices of the evaluation")


def test_unequal_runs_are_refused(paper):
    one = paper()
    edit(one.summaries["vgg16_bn_ce_permuted"], lambda held: held.update(n_runs=2))
    refused(one, CheckFailed, "runs of vgg16_bn_ce_permuted")


@pytest.mark.parametrize(
    ("bounds", "words"), [((0.3, 0.4), "nothing is learnt"), ((0.4, 0.5), "leak"), ((0.1, 0.2), "below"), (None, "No")]
)
def test_the_control_is_read_by_its_interval(bounds, words):
    assert words in _control_reading(bounds, 1 / 3)


def test_the_luck_of_one_deal_of_labels_is_not_called_a_leak(paper):
    """Every case agrees on a recall above chance, but the deals of labels do not."""
    one = paper()
    recall = {"values": [0.46, 0.37, 0.46], "mean": 0.43, "sd": 0.05, "interval": [0.40, 0.45]}
    edit(
        one.summaries["vgg16_bn_ce_permuted"],
        lambda held: held["metrics"].update({"sensitivity.macro": recall}),
    )
    assert "nothing is learnt" in collect_facts(one.job, one.sources)["control_sentence"]


def fail(one, name, failed, skill=1.5):
    one.fake.evaluate(name, skill=skill, settings=one.settings, failed=failed)


def test_runs_that_diverged_are_counted_in_the_words_and_paired_by_what_is_left(paper):
    one = paper()
    last = one.job.rows[-1]
    fail(one, last.name, (1,))
    fail(one, one.job.control.name, (0, 2))
    one.write_tables()
    texts = pages(one.build())
    sentence = f"1 of 3 runs diverged for {last.title}: its numbers are of those that finished."
    assert sentence in texts[0] and sum(sentence in text for text in texts) >= 2
    facts = collect_facts(one.job, one.sources)
    assert "of 2 runs that finished in both" in facts["comparison_words"]
    assert f"2 of 3 runs diverged for {one.job.control.title}" in facts["diverged_sentence"]
    assert facts["control_interval"] == "–" and facts["control_sentence"] == "No interval can be given."
    assert "diverged in epoch 1" in {row["weights"] for row in facts["runs_table"]}


def test_where_nothing_finished_no_number_is_made_up(paper):
    one = paper()
    for row in (*one.job.rows, one.job.control):
        fail(one, row.name, (0, 1, 2))
    one.write_tables()
    whole = " ".join(pages(one.build()))
    assert "3 of 3 runs diverged" in whole and "Paired by run" not in whole
    facts = collect_facts(one.job, one.sources)
    assert {row["accuracy"] for row in facts["rows"]} == {"–"} and facts["control_recall"] == "–"


def test_where_all_finished_nothing_is_said_of_divergence(paper):
    assert collect_facts((one := paper()).job, one.sources)["diverged_sentence"] == ""
