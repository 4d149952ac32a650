"""Every command that the documents show is one that works."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "data/README.md"]
PROGRAMS = ("snakemake", "dvc", "dsn-saal", "make")

PROVEN_ELSEWHERE = {
    "snakemake --touch": "test_line.py: it is refused",
    "dvc remote add -d NAME URL": "conftest.py: the finished tree has a remote",
    "dvc push": "conftest.py: the finished tree is pushed",
    "dvc pull": "conftest.py: every clone pulls",
    "dvc commit -f": "the documents warn of it",
    "dsn-saal phantom": "test_line.py: a rule calls it",
    "dsn-saal evaluate": "test_line.py: a rule calls it",
    "dsn-saal predict": "test_line.py: a rule calls it",
    "dsn-saal certify": "unit/split/test_unlabelled.py; a rule calls it for methods that learn without labels",
}
"""Commands that prose names without meaning them to be typed as they stand."""


def shown():
    """(document, command, whether it stands in a block of its own) for every command in the documents."""
    for document in DOCUMENTS:
        text = document.read_text()
        for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.M | re.S):
            for line in block.splitlines():
                if command := line.partition("#")[0].strip():
                    yield document.name, command, True
        prose = re.sub(r"^\s*```.*?^\s*```", "", text, flags=re.M | re.S)
        for command in re.findall(r"`([^`\n]+)`", prose):
            if command.split()[0] in PROGRAMS and len(command.split()) > 1:
                yield document.name, command, False


BLOCKS = sorted({command for _, command, block in shown() if block})


def test_the_readme_shows_the_two_commands():
    assert {"make reproduce", "make test"} <= set(BLOCKS)


def test_prose_names_only_commands_that_are_tested():
    known = {*BLOCKS, *PROVEN_ELSEWHERE}
    unknown = {(name, command) for name, command, block in shown() if not block and command not in known}
    commands_of = {command for _, command in unknown}
    assert commands_of <= {"snakemake all", "snakemake -n", "snakemake -n all", "dsn-saal --help"}, unknown


@pytest.mark.parametrize("command", [command for command in BLOCKS if command.startswith("make ")])
def test_make_knows_its_targets(command):
    subprocess.run(["make", "--dry-run", *command.split()[1:]], cwd=ROOT, check=True, capture_output=True)


def test_every_other_command_runs_in_a_finished_tree(tree):
    for command in BLOCKS:
        if not command.startswith("make "):
            tree.sh(*command.split())
    assert tree.status().strip() == "Data and pipelines are up to date."


def test_the_readmes_table_names_what_the_rules_make(finished):
    rows = re.findall(r"^\| .*? \| `([^`]+)` \| `(\w+)` \|$", (ROOT / "README.md").read_text(), flags=re.M)
    assert rows
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for pattern, rule in rows:
        assert re.search(rf"^rule {rule}:", rules, flags=re.M), rule
        stem, _, kinds = pattern.partition("{")
        for kind in kinds.rstrip("}").split(",") if kinds else [""]:
            # the small line has no public sets; their tables stand in git
            made = [root / f"{stem}{kind}" for root in (finished.root, ROOT)]
            assert any(path.is_file() for path in made), stem + kind
