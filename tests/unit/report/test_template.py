"""No number is typed into the paper's prose: a rule, and a test of the rule."""

import re
from pathlib import Path

import pytest

import dsn_saal.report
from dsn_saal.params.report_job import report_job
from dsn_saal.report.build import TEMPLATE, collect_facts
from dsn_saal.report.facts import method_facts

ROOM = Path(dsn_saal.report.__file__).parent
PROSE = (ROOM / "paper.typ").read_text(encoding="utf-8")

PROPER_NAMES = ("VGG-16", "SHA-256")
"""Names with a digit in them; a name is no number."""

NUMBER_WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|twenty|thirty|hundred|"
    "thousand|half|twice|thrice|dozen"
)


def prose_of(source):
    """What a reader reads as words: the source without comments, equations, strings of code, citations and labels."""
    text = re.sub(r"//[^\n]*", "", source)
    text = re.sub(r"\$[^$]*\$", "", text)
    text = re.sub(r'"[^"\n]*"', "", text)
    text = re.sub(r"@[a-z0-9]+|<[a-z0-9]+>", "", text)
    text = re.sub(r"#row\.[a-z_0-9]+", "", text)  # a field of a fact
    for name in PROPER_NAMES:
        text = text.replace(name, "")
    return text


def typed_numbers(source):
    prose = prose_of(source)
    return re.findall(r"\S*\d\S*", prose) + re.findall(rf"\b(?:{NUMBER_WORDS})\b", prose, flags=re.I)


def test_no_number_is_typed_into_the_prose():
    assert typed_numbers(PROSE) == []


@pytest.mark.parametrize(
    "planted",
    ["accuracy of 0.92.", "We used ten runs.", '#f("a") of 61 cases', "*3 classes*", "in [12] cases", "half of them"],
)
def test_the_rule_finds_a_typed_number(planted):
    assert typed_numbers(PROSE.replace("= Results", f"= Results\n\n{planted}\n"))


def test_the_rule_reads_the_prose_at_all():
    assert "Each experiment is run" in prose_of(PROSE) and len(prose_of(PROSE)) > 5000


def test_every_fact_of_the_template_is_computed_and_every_computed_fact_is_printed(paper):
    one = paper()
    facts = collect_facts(one.job, one.sources)
    layout = (ROOM / "layout.typ").read_text(encoding="utf-8")
    wanted = set(re.findall(r'f\("([a-z0-9_]+)"\)', PROSE)) | set(re.findall(r"facts\.([a-z_]+)\b(?!\()", layout)) - {
        "json"
    }
    assert wanted - set(facts) == set()
    assert set(facts) - wanted == set()


def test_no_result_of_the_publication_stands_in_the_room():
    """A number of theirs may not even lie near ours."""
    for path in [*ROOM.glob("*.py"), ROOM / "paper.typ", ROOM / "layout.typ"]:
        text = path.read_text(encoding="utf-8")
        for reported in ("0.920", "0.873", "0.925", ".92 ", "6982", "4910", "2072"):
            assert reported not in text, (path.name, reported)


def test_semicolons_do_not_vanish_after_code():
    """Typst takes a semicolon after code as its end and prints nothing."""
    assert not re.findall(r"#(?:f\([^)]*\)|row\.\w+|entry\.\w+);", PROSE)


def test_the_template_is_complete():
    assert all((ROOM / name).is_file() for name in TEMPLATE)


WORDED = {
    "preprocess__lung": ("order", "candidates", "midline", "hull"),
    "split": ("rule",),
    "network": ("weights",),
    "train": ("select_epoch",),
    "evaluate": ("predict_from",),
}
"""Choices that the paper puts into words, by section."""


@pytest.mark.parametrize(("section", "key"), [(section, key) for section, keys in WORDED.items() for key in keys])
def test_every_reading_of_a_choice_has_its_words(small_settings, section, key):
    """A new alternative in the params must not stop the printing."""
    job = report_job(small_settings())
    holder = job
    for name in section.split("__"):
        holder = getattr(holder, name)
    texts = set()
    for value in type(holder).model_fields[key].annotation.__args__:
        changed = holder.model_copy(update={key: value})
        if section == "preprocess__lung":
            changed = job.preprocess.model_copy(update={"lung": changed})
        facts = method_facts(job.model_copy(update={section.partition("__")[0]: changed}))
        texts.add(str(sorted(facts.items())))
    assert len(texts) == len(type(holder).model_fields[key].annotation.__args__)
