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
from dsn_saal.domain.run import RunKey
from dsn_saal.params import resolve
from dsn_saal.params import jobs, paper_jobs
from dsn_saal.provenance.followed import require_followed
from dsn_saal.provenance.glue import attach
from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27.1")

PHANTOM = "data/raw/phantom"
FOLDERS = [
    PHANTOM,
    *(
        f"results/{stage}"
        for stage in ("ingest", "preprocess", "split", "train", "evaluate")
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
    experiment="|".join(settings.experiments),
    folder="|".join(map(re.escape, FOLDERS)),


ON_GPU = shutil.which("nvidia-smi") is not None

RUNS = [RunKey("any", run).run_name for run in range(settings.train.runs)]
SPLIT = "results/split/{dataset}/case_wise"
TABLES = list(paper_jobs.TABLES)
FIGURES = list(paper_jobs.FIGURES)
SHOWN = dict.fromkeys(
    [*settings.report.table3, *filter(None, [settings.report.control])]
)


def of_dataset(pattern):
    """Input function of an experiment's job: a file of its data set."""
    return lambda wildcards: pattern.format(
        dataset=settings.experiments[wildcards.experiment].dataset
    )


def phantom_listing(wildcards):
    """The listing that stands for a data set's DICOM files, where the phantom stage writes them."""
    return (
        f"{PHANTOM}/{wildcards.dataset}/SHA256SUMS"
        if settings.datasets[wildcards.dataset].is_phantom
        else []
    )


def outside(wildcards):
    """The digest of a data set's DICOM files, where they come from outside."""
    dataset = settings.datasets[wildcards.dataset]
    return "" if dataset.is_phantom else glue.fingerprint(dataset.source)


def named(option, pattern, experiments):
    """`--option EXPERIMENT=FILE` for each experiment, as a list of words."""
    return [
        word
        for name in experiments
        for word in (option, f"{name}={pattern.format(experiment=name)}")
    ]


def table(name):
    """Output files of a table."""
    return multiext(f"results/tables/{name}", *(f".{kind}" for kind in TABLE_KINDS))


def figure(name):
    """Output files of a figure."""
    return multiext(f"results/figures/{name}", *(f".{kind}" for kind in FIGURE_KINDS))


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
        "results/split": expand(
            "{dataset}/case_wise.{kind}", dataset=settings.datasets, kind=SPLIT_KINDS
        ),
        "results/train": expand(
            "{experiment}/SHA256SUMS", experiment=settings.experiments
        ),
        "results/evaluate": [
            *expand("{experiment}/summary.json", experiment=settings.experiments),
            *expand(
                "{experiment}/{run}/{file}",
                experiment=settings.experiments,
                run=RUNS,
                file=EVALUATED,
            ),
        ],
        "results/tables": expand("{table}.{kind}", table=TABLES, kind=TABLE_KINDS),
        "results/figures": expand("{figure}.{kind}", figure=FIGURES, kind=FIGURE_KINDS),
        "results/report": ["paper.pdf"],
    }
    return [f"{folder}/{name}" for name in patterns[folder]]
