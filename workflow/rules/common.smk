# What all rules share: the settings, the glue between Snakemake and DVC, what each stage makes.
#
# A rule's params are the job's block of params.yaml (`settings`) and the digest of the code it runs (`code`): a change of
# either reruns exactly the jobs that depend on it. Input files count by content. A function that takes `input` gives a
# param that is not recorded: what may differ between machines goes there.

import re
import shutil
from pathlib import Path

import dsn_saal
from dsn_saal.domain.errors import DsnSaalError
from dsn_saal.domain.pixels import PIXEL_FILES
from dsn_saal.domain.run import RunKey
from dsn_saal.params import resolve
from dsn_saal.params import (
    analyse_jobs,
    audit_jobs,
    figure_jobs,
    html_job,
    image_jobs,
    jobs,
    probe_jobs,
    report_job,
    shelves,
    public_table_jobs,
    table_jobs,
)
from dsn_saal.provenance.followed import require_followed
from dsn_saal.provenance.glue import attach
from dsn_saal.provenance.rulegraph import rule_graph
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27.1")

PHANTOM = "data/raw/phantom"
FETCHED = "data/fetched"
FOLDERS = [
    PHANTOM,
    *(
        f"results/{stage}"
        for stage in (
            "ingest",
            "preprocess",
            "split",
            "train",
            "evaluate",
            "probe",
            "analyse",
            "audit",
        )
    ),
    *(f"results/{kind}" for kind in ("tables", "figures", "report")),
]

try:
    settings = resolve(config)
    require_followed(Path("dvc.yaml"), config)
    glue = attach(
        workflow,
        roots=[*FOLDERS, "results/metrics.json"],
        package=Path(dsn_saal.__file__).parent,
        lock=Path("requirements.lock"),
    )
except DsnSaalError as error:
    raise WorkflowError(error.text()) from None


onstart:
    glue.start()


onsuccess:
    glue.learn()


onerror:
    glue.learn()


wildcard_constraints:
    dataset="|".join(settings.datasets),
    unlabelled="|".join(settings.datasets),
    protocol="|".join(settings.protocols),
    experiment="|".join(settings.experiments),
    folder="|".join(map(re.escape, FOLDERS)),


ON_GPU = shutil.which("nvidia-smi") is not None

ON_FOLDS = [
    name
    for name, experiment in settings.experiments.items()
    if settings.protocols[experiment.protocol].kind == "folds"
]
SPLIT = "results/split/{dataset}/{protocol}"
UNLABELLED = f"{SPLIT}.unlabelled.{{unlabelled}}.certificate.json"
TRAINED = "results/train/{experiment}"
FLOW = "results/ingest/{dataset}/flow.json"
MASK_QUALITY = "results/preprocess/{dataset}/mask_quality.json"
SHOWN_PREPROCESSED = f"results/preprocess/{settings.report.dataset}"
SHOWN_SPLIT = SPLIT.format(
    dataset=settings.report.dataset, protocol=settings.report.protocol
)
TABLES = table_jobs.shown_tables(settings)
FIGURES = [
    *figure_jobs.FIGURES,
    *(figure_jobs.CONTACT_SHEET + name for name in settings.datasets),
]
SPLITS = [
    (name, protocol)
    for name, dataset in settings.datasets.items()
    for protocol in dataset.protocols
]
DATASET_TITLES = {name: dataset.title for name, dataset in settings.datasets.items()}
SHOWN = dict.fromkeys(
    [
        *settings.report.table3,
        *settings.report.saal_ablation,
        *filter(None, [settings.report.control, settings.report.shortcut]),
    ]
)


def run_names(n_runs):
    """Folders of this many runs."""
    return [RunKey("any", run).run_name for run in range(n_runs)]


RUNS = run_names(settings.train.runs)  # of an experiment that is not on folds


def predictions_of(experiments, file="predictions.parquet"):
    """A file of every run of these experiments, below results/evaluate."""
    return [
        f"{name}/{run}/{file}"
        for name in experiments
        for run in run_names(settings.runs_of(name))
    ]


def of_experiment(pattern, **named):
    """Input function of an experiment's job: a file of its data set or its split; `named` fills in what else stands."""

    def named_after(wildcards):
        experiment = settings.experiments[wildcards.experiment]
        return pattern.format(
            dataset=experiment.dataset,
            protocol=experiment.protocol,
            pixels=PIXEL_FILES[experiment.pixels],
            **named,
        )

    return named_after


def splits_shown(wildcards):
    """Split of each protocol that a table of a public set shows, by protocol, without suffix."""
    shown = [
        settings.experiments[name]
        for name in settings.report.public_tables[wildcards.table]
    ]
    return {
        one.protocol: SPLIT.format(dataset=one.dataset, protocol=one.protocol)
        for one in shown
    }


def listing(wildcards):
    """The listing that stands for a data set's files, where the phantom or the fetch rule writes them."""
    dataset = settings.datasets[wildcards.dataset]
    if dataset.is_fetched:
        return f"{FETCHED}/{wildcards.dataset}/SHA256SUMS"
    return f"{PHANTOM}/{wildcards.dataset}/SHA256SUMS" if dataset.is_phantom else []


def outside(wildcards):
    """The digest of a data set's files, where they come from outside as a folder."""
    dataset = settings.datasets[wildcards.dataset]
    followed = dataset.is_phantom or dataset.is_fetched
    return "" if followed else glue.fingerprint(dataset.source)


def source_of(wildcards, input):
    """What ingest and preprocess read: a folder or a DICOMDIR."""
    dataset = settings.datasets[wildcards.dataset]
    if dataset.is_fetched:
        return f"{FETCHED}/{wildcards.dataset}/files"
    return dataset.source


def named(option, pattern, experiments):
    """`--option EXPERIMENT=FILE` for each experiment, as a list of words."""
    return [
        word
        for name in experiments
        for word in (option, f"{name}={pattern.format(experiment=name)}")
    ]


def by_dataset(option, pattern):
    """`--option DATASET=FILE` for each data set, as a list of words."""
    return [
        word
        for name in settings.datasets
        for word in (option, f"{name}={pattern.format(dataset=name)}")
    ]


def unlabelled_words(wildcards):
    """The images and the certificate of each data set that a method learns from without labels, as options."""
    return [
        word
        for name in image_jobs.unlabelled_of(settings, wildcards.experiment)
        for word in (
            "--unlabelled",
            f"{name}=results/preprocess/{name}",
            "--unlabelled-certificate",
            f"{name}={of_experiment(UNLABELLED, unlabelled=name)(wildcards)}",
        )
    ]


def table(name):
    """Output files of a table; its comma-separated values are an item of `snakemake --report`."""
    return shown("tables", name, TABLE_KINDS, "csv")


def figure(name):
    """Output files of a figure; its SVG is an item of `snakemake --report`."""
    return shown("figures", name, FIGURE_KINDS, "svg")


def shown(folder, name, kinds, kind):
    """Files of one item, one of them with its caption and under its shelf in `snakemake --report`."""
    files = {other: f"results/{folder}/{name}.{other}" for other in kinds}
    files[kind] = report(
        files[kind],
        caption=f"../report/{folder}.rst",
        category=lambda wildcards: shelves.shelf_title(name.format(**wildcards)),
        labels=lambda wildcards: {
            "item": shelves.item_title(name.format(**wildcards), DATASET_TITLES)
        },
    )
    return list(files.values())


def made(folder):
    """What the jobs of a stage declare, below one folder."""
    phantoms = [
        name for name, dataset in settings.datasets.items() if dataset.is_phantom
    ]
    patterns = {
        PHANTOM: expand("{dataset}/SHA256SUMS", dataset=phantoms),
        "results/ingest": expand(
            "{dataset}/{file}", dataset=settings.datasets, file=INGESTED
        ),
        "results/preprocess": expand(
            "{dataset}/{file}", dataset=settings.datasets, file=PREPROCESSED
        ),
        "results/split": [
            f"{name}/{protocol}.{kind}"
            for name, protocol in SPLITS
            for kind in SPLIT_KINDS
        ]
        + [
            f"{name}/{protocol}.unlabelled.{other}.certificate.json"
            for name, protocol, other in image_jobs.certified_unlabelled(settings)
        ],
        "results/train": expand(
            "{experiment}/SHA256SUMS", experiment=settings.experiments
        ),
        "results/evaluate": [
            *expand("{experiment}/summary.json", experiment=settings.experiments),
            *(
                name
                for file in EVALUATED
                for name in predictions_of(settings.experiments, file)
            ),
            *expand(
                "{experiment}/{run}/{file}",
                experiment=settings.analyse.experiments,
                run=RUNS,
                file=FITTED,
            ),
        ],
        "results/probe": [
            "network.json",
            *expand(
                "cam/{experiment}/{file}", experiment=settings.probe.cam, file=CAM_FILES
            ),
            *expand("cross/{experiment}.json", experiment=settings.probe.cross),
        ],
        "results/audit": ["forensics.json", "verdicts.json"],
        "results/analyse": expand("{analysis}.json", analysis=analyse_jobs.ANALYSES),
        "results/tables": expand("{table}.{kind}", table=TABLES, kind=TABLE_KINDS),
        "results/figures": expand("{figure}.{kind}", figure=FIGURES, kind=FIGURE_KINDS),
        "results/report": ["paper.pdf", "report.html"],
    }
    return [f"{folder}/{name}" for name in patterns[folder]]


def analysed(wildcards):
    """The experiments that an analysis reads."""
    job = analyse_jobs.analyse_job(settings, wildcards.analysis)
    return [row.name for row in job.rows]


def analysed_predictions(wildcards):
    """Predictions of every run that an analysis reads, for calibration those of the training part too."""
    files = ["predictions.parquet"]
    if wildcards.analysis == "calibration":
        files.append(FITTED)
    return expand(
        "results/evaluate/{experiment}/{run}/{file}",
        experiment=analysed(wildcards),
        run=RUNS,
        file=[*files, "metrics.json"],
    )


def options(option, pattern, names):
    """`--option NAME=PATH` for each name, as a list of words."""
    return [
        word for name in names for word in (option, f"{name}={pattern.format(name)}")
    ]
