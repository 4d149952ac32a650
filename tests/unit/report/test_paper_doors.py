"""The subcommands that print: what the rules call, with the blocks the rules hand over."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsn_saal.cli import main
from dsn_saal.domain.errors import BadRequest
from dsn_saal.params.figure_jobs import ANALYSIS_FIGURES, FIGURES, contact_sheet_job, figure_job
from dsn_saal.params.jobs import parse_job
from dsn_saal.params.probe_jobs import network_job
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES
from dsn_saal.params.report_job import ReportJob, report_job
from dsn_saal.params.table_jobs import ANALYSIS_TABLES, RESULT_TABLES, TABLES, table_job
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import write_table

GRAPH = {"rules": {"train": {"stage": "train", "jobs": 3}, "evaluate": {"stage": "evaluate", "jobs": 3}},
         "edges": [["train", "evaluate"]]}  # fmt: skip


def cam_folder(folder, experiment, fake):
    """Maps of an experiment, as probe cam leaves them."""
    test = fake.index[fake.parts == "test"][["row", "case", "label"]].reset_index(drop=True)
    folder.mkdir(parents=True)
    np.save(folder / "maps.npy", np.ones((len(test), 2, 2), np.float32))
    more = {"predicted": 0, "probability": 0.5, "target": 0, "share": 0.3, "lung": 0.2}
    write_table(folder / "slices.parquet", test.assign(**more))
    write_json(folder / "cam.json", {"experiment": experiment, "missing_because": None})
    return folder


REPORTED = Path(__file__).parents[3] / "data/reported/hu2021.yaml"


def given(option, files):
    """The option once for each named file."""
    return [word for name, path in files.items() for word in (option, f"{name}={path}")]


def test_tables_figures_metrics_and_report_by_their_commands(paper, tmp_path, capsys):
    one, out = paper(), tmp_path / "out"
    settings, fake = one.settings, one.fake
    summaries = [word for name, path in one.summaries.items() for word in ("--summary", f"{name}={path}")]

    def shown(names):
        return [word for name in names for word in ("--summary", f"{name}={one.every[name]}")]

    training = [word for name, path in one.training.items() for word in ("--training", f"{name}={path}")]
    predictions = [
        word for name in settings.report.figure4 for word in ("--predictions", f"{name}={one.every[name].parent}")
    ]
    lists = settings.report.lists
    probes = [word for name, path in one.crosses.items() for word in ("--probe", f"{name}={path}")]
    network, cams = tmp_path / "network.json", []
    assert main(["probe", "network", "--out", str(network), "--settings", network_job(settings).to_json()]) == 0
    for name in settings.probe.cam:
        cams += ["--cam", f"{name}={cam_folder(tmp_path / 'maps' / name, name, fake)}"]
    of_table6 = [
        word
        for names in settings.report.table6.values()
        for name in names
        for word in ("--predictions", f"{name}={one.every[name].parent}")
    ]
    shown6 = settings.report.figure6
    diagnosed = ["--predictions", f"{shown6}={one.every[shown6].parent}"]

    trained = [word for name in lists["table3"] for word in ("--training", f"{name}={fake.train(name, settings)}")]
    inputs = {
        "table2": ["--index", fake.index_path, "--split", fake.split, "--certificate", fake.certificate],
        **{name: shown(lists[name]) for name in RESULT_TABLES},
        "table6": shown(dict.fromkeys(row.name for row in table_job(settings, "table6").rows)),
        "saal_ablation": [*shown(one.training), *training], "saal_trajectories": [*shown(one.training), *training],
        **{name: ["--audit", path] for name, path in one.audit.items()},
        "margins": ["--verdicts", one.audit["verdicts"]],

        **{name: ["--analysis", one.analyses[name]] for name in ANALYSIS_TABLES},
        **{name: ["--analysis", one.analyses[analysis]] for name, analysis in ANALYSIS_FIGURES.items()},
        "training_curves": [*shown(lists["table3"]), *trained],
        "switchboard": [], "datasets": [*one.flows, *one.mask_qualities],
        "certificates": [*one.flows, *one.proofs], "figure3": ["--images", fake.images], "figure4": predictions,
        "cross": probes, "figure1": ["--graph", json.dumps(GRAPH)], "figure2": ["--network", network],
        "figure5": of_table6, "figure6": [*diagnosed, "--images", fake.images],
        "failures": [*diagnosed, "--images", fake.images], "figure7": [*cams, "--images", fake.images],
    }  # fmt: skip
    sets, reported = one.sets, ["--reported", REPORTED]
    inputs["table1"] = [*reported, *given("--flow", sets.flows), *given("--proof", sets.certificates)]
    for name in PUBLIC_TABLES:
        rows = given(
            "--summary", {row: sets.root / row / "summary.json" for row in settings.report.public_tables[name]}
        )
        inputs[name] = [*reported, *rows, *given("--proof", sets.proofs_of(name))]
    for kind, names, job_of in (("table", TABLES, table_job), ("figure", FIGURES, figure_job)):
        for name in names:
            block = job_of(settings, name).to_json()
            call = [kind, name, *map(str, inputs[name]), "--out", str(out / name), "--settings", block]
            assert main(call) == 0, capsys.readouterr().err
    for name in settings.datasets:
        block = contact_sheet_job(settings, name).to_json()
        call = ["figure", "contact_sheet", "--dataset", name, "--images", str(fake.images), "--settings", block]
        assert main([*call, "--out", str(out / f"contact_sheet_{name}")]) == 0, capsys.readouterr().err
    report = [
        "report", *summaries, *training, "--flow", fake.flow, "--mask-quality", fake.mask_quality,
        "--index", fake.index_path, "--certificate", fake.certificate,
        "--out", out / "paper.pdf", "--settings", report_job(settings).to_json(),
    ]  # fmt: skip
    report += [word for name, path in one.cams.items() for word in ("--cam", f"{name}={path}")]
    report += [word for name, path in one.crosses.items() for word in ("--cross", f"{name}={path}")]

    report += [word for name, path in one.analyses.items() for word in ("--analysis", f"{name}={path}")]
    report += [word for name in TABLES for word in ("--table", f"{name}={out / name}.json")]
    report += [word for name in one.figures for word in ("--figure", f"{name}={out / name}.svg")]
    assert main([str(word) for word in report]) == 0, capsys.readouterr().err
    assert main(["metrics", *summaries, "--out", str(out / "metrics.json")]) == 0
    assert set(json.loads((out / "metrics.json").read_text())) == set(one.summaries)
    assert (out / "paper.pdf").read_bytes().startswith(b"%PDF")
    written = {f"{name}.{kind}" for name in TABLES for kind in ("csv", "tex", "md", "json")}
    written |= {f"{name}.{kind}" for name in one.figures for kind in ("svg", "png")}
    assert {path.name for path in out.iterdir()} == written | {"paper.pdf", "metrics.json"}


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (["table", "table2", "--out", "x"], "--index, --split, --certificate"),
        (["table", "table3", "--out", "x"], "--summary"),
        (["figure", "figure3", "--out", "x"], "--images"),
        (["figure", "figure4", "--out", "x"], "--predictions"),
        (["figure", "figure1", "--out", "x"], "--graph"),
        (["figure", "figure2", "--out", "x"], "--network"),
        (["figure", "failures", "--out", "x"], "--images, --predictions"),
        (["figure", "figure7", "--out", "x"], "--images, --cam"),
        (["table", "cross", "--out", "x"], "--probe"),
        (["probe", "cam", "--out", "x"], "--images, --split, --weights"),
        (["table", "comparisons", "--out", "x"], "--analysis"),
        (["figure", "positions", "--out", "x"], "--analysis"),
        (["figure", "training_curves", "--out", "x"], "--summary, --training"),
        (["analyse", "cases", "--out", "x"], "--predictions"),
        (["table", "saal_ablation", "--out", "x"], "--summary, --training"),
        (["table", "verdicts", "--out", "x"], "--audit"),
        (["figure", "margins", "--out", "x"], "--verdicts"),
        (["figure", "saal_trajectories", "--out", "x"], "--summary, --training"),
    ],
)
def test_a_call_without_its_inputs_says_which(call, missing, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(call) == 2
    assert missing in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_pair_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["metrics", "--summary", "dsn_saal", "--out", "x"])
    assert "NAME=PATH" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*TABLES, *FIGURES, "report"])
def test_a_block_survives_its_command_line_with_the_classes_in_order(small_settings, name):
    settings = small_settings()
    job = report_job(settings) if name == "report" else {**TABLES, **FIGURES}[name](settings)
    again = parse_job(type(job), job.to_json())
    assert again == job and again.to_json() == job.to_json()
    if hasattr(job, "classes") and name not in ("table1", *PUBLIC_TABLES):
        assert list(again.classes) == list(settings.datasets[settings.report.dataset].classes)


@pytest.mark.parametrize(
    ("change", "depend"),
    [
        ({"regimens__paper__lr": 0.5}, {"report"}),
        ({"evaluate__std_ddof": 0}, {"report", "figure4", "figure5", "switchboard"}),
        ({"report__figure3_cases_per_class": 1}, {"figure3"}),
        ({"preprocess__resize": {"interpolation": "area"}}, {"report", "switchboard"}),
        ({"ingest__key_file": "other"}, set()),
        ({"report__figure4": ["dsn_saal"]}, {"figure4"}),
        ({"report__table5": ["dsn_saal"]}, {"table5"}),
        ({"report__table6": {"DSN-SAAL": ["dsn_saal", "dsn_saal_covid_1"]}}, {"table6", "figure5"}),
        ({"protocols__covid_1__share": 0.02}, {"table6", "figure5"}),
        ({"probe__cam": ["dsn_saal"]}, {"report", "figure7"}),
        ({"report__failures_per_cell": 2}, {"report", "failures"}),
        ({"probe__sanity_draws": 2}, set()),
        ({"report__table9": ["sars_adaboost"]}, {"table9"}),
        ({"methods__adaboost__features": {"histogram_bins": 8, "thumbnail_px": 4}}, {"table9"}),
        ({"protocols__folds_by_block__folds": 5, "protocols__folds_by_block__block_size": 10}, set()),
        (
            {"network__width": 0.5},
            {"report", "table3", "table4", "table5", "table6", "saal_ablation"} | {*PUBLIC_TABLES},
        ),
        (
            {"report__saal_ablation": ["dsn_saal", "dsn_saal_no_decay"]},
            {"report", "saal_ablation", "saal_trajectories"},
        ),
    ],
)
def test_a_block_holds_exactly_what_its_item_depends_on(small_settings, change, depend):
    def blocks(settings):
        items = {name: make(settings).to_json() for name, make in {**TABLES, **FIGURES}.items()}
        return items | {"report": report_job(settings).to_json()}

    before, after = blocks(small_settings()), blocks(small_settings(**change))
    assert {name for name in before if before[name] != after[name]} == depend


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"report__table3": ["vgg16_bn_ce", "resnet"]}, "'resnet', which is none of the"),
        ({"report__figure4": ["dsn_saal", "dsn_saal"]}, "figure4 names an experiment twice"),
        ({"report__control": "dsn_saal"}, "cannot be a row of table3 too"),
        ({"report__dataset": "sars"}, "report.dataset is 'sars'; known: covid19_diag"),
        ({"report__table3": []}, "at least 1 item"),
        ({"analyse__experiments": ["dsn_saal_covid_1"]}, "analyse.experiments names 'dsn_saal_covid_1'"),
        ({"analyse__experiments": ["none"]}, "an experiment of analyse.experiments is 'none'"),
        ({"analyse__metrics": ["f1", "f1"]}, "names one twice"),
        ({"analyse__thresholds": {"first": 0.5, "last": 0.5, "count": 3}}, "first must lie below last"),
        (
            {"analyse__families": {"table5": {"kind": "against", "reference": "resnet51"}}},
            "analyse.families.table5.reference is 'resnet51'",
        ),
        ({"report__saal_ablation": ["dsn_saal"]}, "at least 2 items"),
        ({"report__saal_ablation": ["dsn_saal", "vgg16_bn_ce"]}, "'vgg16_bn_ce', whose loss has no alpha and beta"),
        ({"report__table6": {}}, "table6 needs at least one method"),
        ({"report__table4": ["dsn_saal_covid_1"]}, "report.table4 shows 'covid19_diag' split by 'case_wise'"),
        ({"report__table6": {"ours": ["dsn_saal_covid_2"]}}, "an experiment of report.table6.ours is"),
    ],
)
def test_a_report_of_what_is_not_there_is_refused_before_any_job(small_settings, change, message):
    with pytest.raises(BadRequest, match=message):
        small_settings(**change)


def test_the_report_knows_every_class_it_prints(small_settings):
    job = report_job(small_settings())
    assert isinstance(job, ReportJob) and job.positive in job.classes
