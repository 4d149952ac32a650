"""dvc.yaml, the rules and params.yaml: whatever a job depends on, Snakemake and DVC both look at."""

import ast
import copy
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
import yaml

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params import (
    analyse_jobs,
    audit_jobs,
    figure_jobs,
    html_job,
    image_jobs,
    jobs,
    probe_jobs,
    report_job,
    resolve,
    table_jobs,
)
from dsn_saal.provenance.code import LEFT_OUT, Code
from dsn_saal.provenance.followed import require_followed
from dsn_saal.provenance.pins import WITHOUT_RESULT, Pins

ROOT = Path(__file__).parents[2]
RULES = ROOT / "workflow/rules"
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SOURCE = {name: (RULES / f"{name}.smk").read_text() for name in [*STAGES, "common", "manifest"]}
DOOR = re.compile(r'glue\.code\("([\w.]+)"\)')


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return Code(ROOT / "src/dsn_saal", tmp_path_factory.mktemp("code") / "code.json", Pins(ROOT / "requirements.lock"))


def rules_of(stage):
    return re.findall(r"^(?:rule|use rule \w+ as) (\w+)", SOURCE[stage], flags=re.M)


def command(stage):
    return STAGES[stage]["cmd"][0]


def stage_blocks(settings):
    """Per stage, everything that its rules take from the settings."""
    datasets, experiments = settings.datasets, settings.experiments
    yield "phantom", [(name, image_jobs.phantom_job(settings, name)) for name in datasets if datasets[name].is_phantom]
    fetched = [(name, image_jobs.fetch_job(settings, name)) for name in datasets if datasets[name].is_fetched]
    yield (
        "ingest",
        [fetched, *((name, image_jobs.ingest_job(settings, name), datasets[name].source) for name in datasets)],
    )
    yield "preprocess", [(name, image_jobs.preprocess_job(settings, name), datasets[name].source) for name in datasets]
    splits = [(name, protocol) for name in datasets for protocol in datasets[name].protocols]
    certified = [
        (*each, image_jobs.certify_job(settings, each[0], each[2]))
        for each in image_jobs.certified_unlabelled(settings)
    ]
    yield "split", [*((*split, image_jobs.split_job(settings, *split)) for split in splits), *certified]
    data_of = {name: (experiment.dataset, experiment.protocol) for name, experiment in experiments.items()}
    yield "train", [(name, jobs.train_job(settings, name), data_of[name]) for name in experiments]
    fitted = [(name, jobs.predict_job(settings, name), data_of[name]) for name in settings.analyse.experiments]
    yield "evaluate", [*((name, jobs.evaluate_job(settings, name), data_of[name]) for name in experiments), *fitted]
    probe, splits = settings.probe, [probe_jobs.cross_splits(settings, name) for name in settings.probe.cross]
    cams = [(name, probe_jobs.cam_job(settings, name), data_of[name]) for name in probe.cam]
    crosses = [(name, probe_jobs.cross_job(settings, name)) for name in probe.cross]
    yield "probe", [cams, crosses, splits, probe_jobs.network_job(settings)]
    yield "analyse", [[analyse_jobs.analyse_job(settings, name) for name in analyse_jobs.ANALYSES], settings.report]
    compared = audit_jobs.compared_experiments(settings.audit)
    yield "audit", [audit_jobs.forensics_job(settings), audit_jobs.verdicts_job(settings), compared]
    tables = [table_jobs.table_job(settings, name) for name in table_jobs.TABLES]
    yield "tables", [tables, settings.report]
    figures = [figure_jobs.figure_job(settings, name) for name in figure_jobs.FIGURES]
    yield "figures", [figures, [figure_jobs.contact_sheet_job(settings, name) for name in datasets], settings.report]
    yield "report", [report_job.report_job(settings), html_job.html_job(settings), settings.report]


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def put(params, path, value):
    changed = copy.deepcopy(params)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def other_values(value, path):
    """Values that may stand there instead; which of them do is for the laws to say."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value - 1, value * 2, value / 2, value + 32, str(value)]
    if isinstance(value, list):
        words = [[inner] for _, inner in leaves(PARAMS) if isinstance(inner, str)]
        more = [[*value, 1000], [value[0], value[-1] + 1]] if value and isinstance(value[-1], int) else [["another"]]
        return [value[:-1], value[::-1], *more, *words]
    words = {str(inner) for _, inner in leaves(PARAMS) if isinstance(inner, str)}
    try:
        resolve(put(PARAMS, path, "no such value"))
    except BadRequest as error:
        words |= set(re.findall(r"'([^']+)'", str(error)))
    return [*sorted(words - {value, "no such value"}), "another", 1, 5, {"covid19": 5}, ["x"]]


def follows(stage, path):
    return any(path[: len(key.split("."))] == tuple(key.split(".")) for key in STAGES[stage]["params"])


def of_first_entries():
    """Every value, but of sections whose entries are alike only the first entry that holds such a key."""
    seen = set()
    for path, _ in leaves(PARAMS):
        kind = (path[0], *path[2:]) if path[0] in ("experiments", "losses", "models", "methods") else path
        if kind not in seen:
            seen.add(kind)
            yield path


@pytest.mark.parametrize("path", list(of_first_entries()), ids=".".join)
def test_dvc_follows_every_value_that_a_stage_depends_on(path):
    value = dict(leaves(PARAMS))[path]
    before = dict(stage_blocks(resolve(PARAMS)))
    touched = set()
    for other in other_values(value, path):
        try:
            after = dict(stage_blocks(resolve(put(PARAMS, path, other))))
        except BadRequest:
            continue
        touched |= {stage for stage in STAGES if repr(before[stage]) != repr(after[stage])}
    assert {stage for stage in touched if not follows(stage, path)} == set()


@pytest.mark.parametrize("stage", STAGES)
class TestEveryStage:
    def test_dvc_looks_at_all_the_code_that_its_rules_run(self, stage, code):
        doors = DOOR.findall(SOURCE[stage]) + DOOR.findall(SOURCE["manifest"])
        deps = [ROOT / dep for dep in STAGES[stage]["deps"] if "$" not in dep]
        assert doors and all(
            dep.exists() or dep.is_relative_to(ROOT / "data") or "results" in dep.parts for dep in deps
        )
        rules = {
            ROOT / "Snakefile",
            ROOT / "requirements.lock",
            *(RULES / f"{name}.smk" for name in ("common", "manifest", stage)),
        }
        files = set(code.files(*doors)) | rules
        uncovered = {file for file in files if not any(file == dep or dep in file.parents for dep in deps)}
        assert {str(file.relative_to(ROOT)) for file in uncovered} == set()

    def test_each_rule_carries_the_code_of_the_command_it_calls(self, stage):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", SOURCE[stage] + "\n", flags=re.M):
            called = set(re.findall(r"dsn-saal (\w+)", body))
            assert called and {f"cli.{one}" for one in called} == set(DOOR.findall(body)), name
            assert not re.search(r"^    (run|script|notebook|wrapper):", body, flags=re.M), name
            assert "directory(" not in body and "{log:q}" in body, name

    def test_snakemake_may_run_the_rules_of_this_stage_and_no_others(self, stage):
        allowed = command(stage).split("--allowed-rules ")[1].split(" -- ")[0].split()
        assert sorted(allowed) == sorted([*rules_of(stage), "manifest"])

    def test_its_targets_its_outputs_and_its_records_are_the_same(self, stage):
        outs = {}
        for entry in [*STAGES[stage]["outs"], *STAGES[stage].get("metrics", [])]:
            outs.update(entry)
        assert all(options["persist"] is True for options in outs.values())
        record = f"provenance/{stage}.json"
        assert outs.pop(record)["cache"] is False
        targets = {target.removesuffix("/MANIFEST") for target in command(stage).split(" -- ")[1].split()}
        assert STAGES[stage]["cmd"][1].split() == ["dsn-saal", "provenance", "export", "--out", record, *outs]
        assert targets == set(outs)


def test_every_stage_of_the_workflow_is_a_stage_of_dvc():
    included = re.findall(r'include: "workflow/rules/(\w+)\.smk"', (ROOT / "Snakefile").read_text())
    assert included == ["common", "manifest", *STAGES]


def test_a_section_that_dvc_does_not_follow_is_refused():
    require_followed(ROOT / "dvc.yaml", PARAMS)
    for changed in (
        put(PARAMS, ("scales", "demo", "evaluate"), {"batch_size": 8}),
        {**PARAMS, "sections": {}},
        put(PARAMS, ("datasets", "second"), {}),
    ):
        with pytest.raises(BadRequest, match="DVC would not notice"):
            require_followed(ROOT / "dvc.yaml", changed)


def test_the_code_of_a_rule_is_all_that_it_imports(code):
    graph = grimp.build_graph("dsn_saal", cache_dir=None)
    for door in DOOR.findall("".join(SOURCE.values())):
        pending, reached = [f"dsn_saal.{door}"], set()
        while pending:  # grimp's own walk would go through what is left out
            module = pending.pop()
            left_out = any(module == name or (name.endswith(".") and module.startswith(name)) for name in LEFT_OUT)
            if module not in reached and not left_out:
                reached.add(module)
                pending += graph.find_modules_directly_imported_by(module)
        assert reached <= code.closure(door)


def test_the_lock_pins_every_library_that_shapes_a_result():
    pins = Pins(ROOT / "requirements.lock")
    trees = [ast.parse(path.read_text()) for path in (ROOT / "src").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    full = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    full += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    libraries = {name.split(".")[0] for name in full} - {"dsn_saal", *WITHOUT_RESULT} - set(sys.stdlib_module_names)
    assert {"numpy", "torch", "cv2"} <= libraries
    assert {name for name in libraries if not pins.of(name)} == set()


def test_nothing_is_imported_by_a_computed_name():
    for path in (ROOT / "src").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(call.func) for call in calls}
        found = names & {"import_module", "importlib.import_module", "__import__"}
        assert not found or path == ROOT / "src/dsn_saal/cli/__init__.py", path


def test_snakemake_lint_asks_for_conda_only():
    """One lock file describes the environment of all rules; an environment for each would describe it a second time."""
    lint = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    findings = set(re.findall(r"^    \* (.+?)\.?:?$", lint.stdout + lint.stderr, flags=re.M))
    assert findings == {"Specify a conda environment or container for each rule"}
