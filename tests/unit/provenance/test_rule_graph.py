"""The graph of rules that a rule can ask for, against the one that Snakemake draws."""

import json
import re
import subprocess
import sys

import pytest

SNAKEFILE = """
from dsn_saal.provenance.rulegraph import rule_graph

NAMES = ["a", "b", "c"]

rule all:
    input: "out/table.txt", "out/graph.json"

rule source:
    output: "out/{name}.raw"
    shell: "touch {output}"

include: "second.smk"

rule table:
    input: expand("out/{name}.done", name=NAMES), table="out/once.txt"
    output: "out/table.txt"
    shell: "touch {output}"

rule graph:
    output: "out/graph.json"
    params: graph=lambda wildcards: rule_graph(workflow)
    shell: "echo {params.graph:q} > {output}"
"""

SECOND = """
rule once:
    output: "out/once.txt"
    shell: "touch {output}"

rule unused:
    input: "out/once.txt"
    output: "out/unused.txt"
    shell: "touch {output}"

rule work:
    input:
        raw=lambda wildcards: f"out/{wildcards.name}.raw",
        more=lambda wildcards: ["out/a.done"] if wildcards.name == "c" else [],
        outside="given.txt",
    output: "out/{name}.done"
    shell: "touch {output}"
"""


def snakemake(folder, *words):
    call = [sys.executable, "-m", "snakemake", "--cores", "1", *words]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "second.smk").write_text(SECOND)
    (tmp_path / "given.txt").write_text("")
    return tmp_path


def drawn(folder):
    """Names and edges of `snakemake --rulegraph`."""
    dot = snakemake(folder, "--rulegraph", "dot", "--", "all").stdout
    names = dict(re.findall(r'(\d+)\s*\[\s*label\s*=\s*"([^"\\]+)', dot))
    return set(names.values()), {(names[start], names[end]) for start, end in re.findall(r"(\d+) -> (\d+)", dot)}


def test_rules_and_edges_are_those_that_snakemake_draws_and_jobs_those_that_it_counts(place):
    names, edges = drawn(place)
    plan = snakemake(place, "--dry-run").stdout
    result = snakemake(place)
    assert result.returncode == 0, result.stderr
    held = json.loads((place / "out/graph.json").read_text())
    assert set(held["rules"]) == names and {tuple(edge) for edge in held["edges"]} == edges
    counted = {name: int(jobs) for name, jobs in re.findall(r"^(\w+) +(\d+)$", plan, flags=re.M) if name != "total"}
    assert {name: entry["jobs"] for name, entry in held["rules"].items()} == counted
    assert held["rules"]["work"] == {"stage": "second", "jobs": 3} and held["rules"]["table"]["stage"] == "Snakefile"


def test_what_lies_there_already_changes_nothing_and_a_changed_graph_does(place):
    assert snakemake(place).returncode == 0
    first = (place / "out/graph.json").read_text()
    assert "Nothing to be done" in snakemake(place).stderr
    (place / "Snakefile").write_text(SNAKEFILE.replace('["a", "b", "c"]', '["a", "b", "c", "d"]'))
    assert snakemake(place).returncode == 0
    second = (place / "out/graph.json").read_text()
    assert json.loads(second)["rules"]["work"]["jobs"] == 4 and second != first


def test_two_makers_of_one_file_are_refused(place):
    with (place / "Snakefile").open("a") as stream:
        stream.write('\nrule other:\n    output: "out/{name}.r{x}w"\n    shell: "touch {output}"\n')
    told = snakemake(place, "out/graph.json")
    assert told.returncode and "two rules make one file" in told.stdout + told.stderr
