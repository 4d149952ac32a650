import copy
from pathlib import Path

import pytest
import yaml

from dsn_saal.domain.errors import BadRequest
from dsn_saal.params import image_jobs, jobs
from dsn_saal.params.base import require_known
from dsn_saal.params.open_choices import switchboard
from dsn_saal.params.reading import read_settings, resolve

PARAMS = Path(__file__).parents[3] / "params.yaml"
LOSS_OF = {name: one["loss"] for name, one in yaml.safe_load(PARAMS.read_text())["experiments"].items()}

SIDE = {
    "tap": "after_relu", "channels": 21, "merge": "sum", "fuse_channels": 1, "side_bn": False,
    "side_init": "normal_0.01",
}  # fmt: skip


@pytest.fixture
def raw():
    return yaml.safe_load(PARAMS.read_text())


def put(raw, key, value):
    """A copy of the params with one dotted key set."""
    changed = copy.deepcopy(raw)
    *path, last = key.split(".")
    block = changed
    for part in path:
        block = block[part]
    block[last] = value
    return changed


def test_the_scale_is_laid_over_the_sections(raw):
    assert resolve(raw).train.runs == raw["scales"]["demo"]["train"]["runs"]
    paper = resolve(put(raw, "scale", "paper"))
    regimen = paper.regimens["paper"]
    assert (regimen.epochs, regimen.lr, regimen.rate.milestones, paper.train.runs) == (120, 0.001, (40, 80), 10)
    assert paper.preprocess.image_size == 224


def test_the_paper_scale_is_table_2(raw):
    phantom = resolve(put(raw, "scale", "paper")).phantom.cohorts["covid19_diag"]
    assert phantom.cases == {"covid19": 61, "normal": 95, "bacterial_pneumonia": 69}
    assert phantom.slices == {"covid19": 1769, "normal": 3824, "bacterial_pneumonia": 1389}


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("regimens.paper.optimizer.momentun", 0.9, "momentun"),
        ("regimens.paper.optimizer.momentum", 1.5, "regimens.paper.optimizer.sgd.momentum"),
        ("regimens.paper.weight_decay", "0.0005", "regimens.paper.weight_decay"),
        ("regimens.paper.augmentation", {"crop_area": [0.9, 0.5]}, "regimens.paper.augmentation"),
        ("scales.demo.regimens.paper.epochs", 0, "regimens.paper.epochs"),
        ("methods.plain.regimen", "papre", "methods.plain.regimen is 'papre'; known: paper"),
        ("experiments.dsn_saal.method", "plane", "experiments.dsn_saal.method is 'plane'; known: plain"),
        ("scales.demo.preprocess.image_size", 100, "multiple of 32"),
        ("scales.demo.regimens.paper.rate.milestones", [10, 5], "milestones must rise"),
        ("scales.paper.regimens.paper.epochs", -1, "scale: paper"),
        ("scales.demo.regimens.self_trans.vote_epochs", 9, "vote_epochs is 9, but there are 8 epochs"),
        ("scales.demo.regimens.self_trans.vote_epochs", 0, "regimens.self_trans.vote_epochs"),
        (
            "regimens.self_trans_contrast.vote_epochs",
            2,
            "methods.self_trans.unlabelled_regimen is 'self_trans_contrast'",
        ),
        (
            "scales.demo.phantom.cohorts.covid19_diag.slices",
            {"covid19": 1, "normal": 1, "bacterial_pneumonia": 1},
            "do not fit into",
        ),
        ("datasets.covid_ct.classes.covid19.phantom", ["flu"], "datasets.covid_ct.classes.covid19.phantom"),
        ("datasets.covid_ct.slices", "lesion", "needs labels of single slices"),
        ("datasets.covid19_diag.source", "https://pacs.example.org/dicom-web", "dsn-saal fetch"),
        (
            "datasets.covid_ct_md.protocols",
            ["offical"],
            "protocols is 'offical', which is none of the",
        ),
        ("datasets.sars_cov_2.classes", {}, "datasets.sars_cov_2.classes"),
        ("phantom.cohorts.covid_ct", None, "phantom.cohorts.covid_ct"),
        ("protocols.covid_1.base", "official", "no protocol of kind cases"),
        ("protocols.covid_1.of", "flu", "protocols.covid_1.of, used by datasets.covid19_diag, is 'flu'"),
        ("scales.demo.protocols.case_wise.train_slices", {"covid19": 3}, "must name the classes"),
        ("scales.demo.protocols.case_wise.draws", 3, "a key stands in two places"),
        ("experiments.dsn_saal.protocol", "official", "experiments.dsn_saal.protocol is 'official'"),
        ("protocols.case_wise.draws", 3, "no protocol of kind cases with draws: 1"),
        ("protocols.folds_by_image.repeats", 2, "in folds x repeats: protocols.folds_by_image gives 10 runs"),
        ("experiments.sars_adaboost.loss", "ce", "experiments.sars_adaboost.loss must be null"),
        ("experiments.sars_adaboost.labels", "permuted", "needs labels: as_given"),
        ("experiments.sars_dsn_saal.model", None, "experiments.sars_dsn_saal.model must be a name"),
        ("methods.adaboost.features.thumbnail_px", 24, "which does not divide image_size"),
        ("report.table9", ["sars_dsn_saal", "covid_ct_dsn_saal"], "sets data sets side by side"),
        ("report.table7a", ["covidx"], "an experiment of report.table7a is 'covidx'"),
        ("report.protocol", "covid_1", "no protocol of kind cases"),
        ("losses.ce.alpha_init", 1.0, "losses.ce"),
        ("losses.saal.log_zero", 0.0, "log_zero"),
        ("experiments.meta_weight_net.loss", "saal", "plain cross-entropy, not loss 'saal'"),
        ("experiments.meta_weight_net.model", "dsn_vgg16_bn", "without deep supervision, not 'dsn_vgg16_bn'"),
        ("experiments.meta_weight_net.labels", "permuted", "its meta set must be clean"),
        (
            "experiments.vgg16_bn_affinity.model",
            "vgg16_bn",
            "vgg16_bn_affinity has loss 'affinity' and needs a model with last_layer: prototypes, not 'vgg16_bn'",
        ),
        (
            "models.dsn_vgg16_bn.last_layer",
            {"kind": "cosines", "scale": 30.0},
            "one of last_layer and deep_supervision",
        ),
        (
            "models.vgg16_bn_prototypes.last_layer.per_class",
            0,
            "models.vgg16_bn_prototypes.last_layer.prototypes.per_class",
        ),
        ("losses.affinity.margin", 1.5, "losses.affinity.max_margin_affinity.margin"),
        ("models.vgg16_bn.checkpoint", {"path": "x", "sha256": "0" * 64}, "a checkpoint is of densenet121"),
        ("models.densenet121_chexnet.checkpoint", {"path": "x", "sha256": "0"}, "sha256"),
        ("models.resnet32_mwn.deep_supervision", SIDE, "resnet32 has no side classifiers"),
        (
            "experiments.dsn_saal.loss",
            "sall",
            "experiments.dsn_saal.loss is 'sall', which is none of the",
        ),
        (
            "report.table3",
            ["vgg"],
            "an experiment of report.table3 is 'vgg', which is none of the",
        ),
        ("experiments.vgg16_bn_ce.pixels", "bones", "experiments.vgg16_bn_ce.pixels"),
        ("datasets.covid19_diag.lungs", "none", "pixels is surroundings, but 'covid19_diag' has lungs: none"),
        ("experiments.self_trans.pixels", "surroundings", "'self_trans' learns from lungs too"),
        ("report.shortcut", "vgg16_bn_ce", "report.shortcut is 'vgg16_bn_ce', which sees the lungs"),
        ("report.figure6", "vgg", "an experiment of report.figure6 is 'vgg'"),
        ("probe.cam", ["vgg16_bn_ce", "vgg16_bn_ce"], "cam names an experiment twice"),
        ("probe.cam", ["resnet50_ce"], "probe.cam names 'resnet50_ce', whose backbone is not vgg16_bn"),
        ("probe.cam", ["vgg16_bn_ce_covid_1"], "whose test part is not that of the report"),
        ("probe.cross", ["vgg16_bn_ce_surroundings"], "which does not see the lungs"),
        ("probe.cross_tests", {"covid_ct": "by_case"}, "probe.cross_tests.covid_ct is 'by_case'; known: official"),
        ("probe.cross_tests", {"covid": "official"}, "a data set of probe.cross_tests is 'covid'"),
        ("probe.network", "vgg16_bn_ce", "which has no side classifiers"),
        ("datasets.covid19_diag.positive", "covid", "positive is 'covid'"),
        ("scale", "papier", "choose one of: demo, paper"),
        ("scales.demo.regimens.paper.weight_decay", 0.9, "a key stands in two places"),
        ("scales.demo.trian", {"epochs": 3}, "a scale may only fill in sections that exist"),
    ],
)
def test_a_wrong_value_is_refused_by_name(raw, key, value, named):
    with pytest.raises(BadRequest) as error:
        resolve(put(raw, key, value))
    assert named in error.value.text() and error.value.exit_code == 2


def test_one_epoch_is_selected_or_several_vote(raw):
    chosen = put(put(raw, "train.select_epoch", "best_validation"), "train.validation_share", 0.2)
    for scale in ("demo", "paper"):  # the chosen scale's law is asked last
        with pytest.raises(BadRequest) as error:
            resolve(chosen)
        assert "regimens.self_trans.vote_epochs" in error.value.text() and "vote_epochs to 1" in error.value.text()
        chosen = put(chosen, f"scales.{scale}.regimens.self_trans.vote_epochs", 1)
    assert resolve(chosen).train.select_epoch == "best_validation"


def test_self_trans_votes_and_nobody_else(raw):
    """Its authors' code asks the last ten epochs."""
    paper = resolve(put(raw, "scale", "paper"))
    assert {name: one.vote_epochs for name, one in paper.regimens.items() if one.vote_epochs > 1} == {"self_trans": 10}
    rows = [row for row in switchboard(paper) if row.key.endswith("vote_epochs")]
    assert {row.key: row.chosen for row in rows}["regimens.self_trans.vote_epochs"] == "10" and len(rows) == 2


def test_a_missing_key_is_refused_and_has_no_silent_default(raw):
    del raw["regimens"]["paper"]["weight_decay"]
    with pytest.raises(BadRequest, match=r"regimens\.paper\.weight_decay"):
        resolve(raw)


def test_a_file_that_is_missing_or_no_mapping_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no such file"):
        read_settings(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("[1, 2")
    with pytest.raises(BadRequest, match="not YAML"):
        read_settings(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- 1\n")
    with pytest.raises(BadRequest, match="mapping"):
        read_settings(tmp_path / "params.yaml")


def test_every_open_choice_is_printed_with_the_papers_words(raw):
    rows = {row.key: row for row in switchboard(resolve(raw))}
    assert rows["losses.*.log_zero"].chosen == "-4.0"
    assert rows["models.*.deep_supervision.merge"].chosen == "sum"
    assert all(row.paper and row.recommended and row.alternatives for row in rows.values())


def all_jobs(settings):
    for name, dataset in settings.datasets.items():
        yield f"phantom {name}", image_jobs.phantom_job(settings, name)
        yield f"ingest {name}", image_jobs.ingest_job(settings, name)
        yield f"preprocess {name}", image_jobs.preprocess_job(settings, name)
        for protocol in dataset.protocols:
            yield f"split {name} {protocol}", image_jobs.split_job(settings, name, protocol)
    for name in settings.experiments:
        yield f"train {name}", jobs.train_job(settings, name)
        yield f"evaluate {name}", jobs.evaluate_job(settings, name)


def test_a_job_survives_the_way_through_its_command_line(raw):
    for _, job in all_jobs(resolve(raw)):
        again = jobs.parse_job(type(job), job.to_json())
        assert again == job and again.to_json() == job.to_json()


def test_the_order_of_the_classes_is_their_label_on_every_way(raw):
    settings = resolve(raw)
    classes = list(settings.datasets["covid19_diag"].classes)
    assert classes != sorted(classes)
    job = jobs.parse_job(image_jobs.IngestJob, image_jobs.ingest_job(settings, "covid19_diag").to_json())
    assert list(job.folders) == classes


@pytest.mark.parametrize(
    ("key", "value", "touched"),
    [
        ("losses.saal.log_zero", -9.0, {f"train {name}" for name, loss in LOSS_OF.items() if loss == "saal"}),
        ("experiments.dsn_saal.title", "ours", set()),
        ("datasets.covid19_diag.title", "ours", set()),
        ("phantom.cohorts.covid_ct.slices_per_case", [1, 5], {"phantom covid_ct"}),
        ("protocols.by_case.seed", 8, {"split covid_ct_md by_case"}),
        ("protocols.covid_1.draws", 6, {"split covid19_diag covid_1"}),
        ("datasets.covid_ct.lungs", "hull", {"preprocess covid_ct"}),
        ("datasets.covid_ct.counts", "any", {"ingest covid_ct"}),
        ("datasets.covid_ct_md.accept", ["near_duplicate"], set()),
        ("datasets.covid_ct.accept", [], {f"train {name}" for name in LOSS_OF if name.startswith("covid_ct_")}),
        ("methods.adaboost.classifier.trees", 9, {"train sars_adaboost", "train sars_blocks_adaboost"}),
        ("datasets.sars_cov_2.classes.covid19.folders", ["covid"], {"phantom sars_cov_2", "ingest sars_cov_2"}),
        ("experiments.resnet50_ce.pixels", "surroundings", {"train resnet50_ce", "evaluate resnet50_ce"}),
        ("evaluate.std_ddof", 0, {f"evaluate {name}" for name in LOSS_OF}),
        (
            "methods.self_trans.input_normalise",
            "unit",
            {f"{stage} {name}" for name in LOSS_OF if name.endswith("self_trans") for stage in ("train", "evaluate")},
        ),
        ("scales.paper.regimens.paper.epochs", 119, set()),
        (
            "scales.demo.regimens.self_trans.vote_epochs",
            2,
            {f"train {name}" for name in LOSS_OF if name.endswith("self_trans")},
        ),
    ],
)
def test_one_value_changes_exactly_the_jobs_that_depend_on_it(raw, key, value, touched):
    before = {name: job.to_json() for name, job in all_jobs(resolve(raw))}
    after = {name: job.to_json() for name, job in all_jobs(resolve(put(raw, key, value)))}
    assert {name for name in before if before[name] != after[name]} == touched


def test_a_job_that_breaks_a_law_is_refused():
    with pytest.raises(BadRequest, match="not a block of SplitJob"):
        jobs.parse_job(image_jobs.SplitJob, '{"classes": ["a"]}')


def test_an_unknown_name_is_answered_with_all_names_if_few_and_with_the_nearest_if_many():
    with pytest.raises(ValueError, match=r"loss is 'sall'; known: ce, saal$"):
        require_known("loss", "sall", ["ce", "saal"])
    many = [f"loss_{number}" for number in range(40)]
    with pytest.raises(ValueError, match=r"loss is 'sall', which is none of the 41 known; nearest: saal$"):
        require_known("loss", "sall", [*many, "saal"])
    with pytest.raises(ValueError, match=r"none of the 40 known$"):
        require_known("loss", "zzz", many)
