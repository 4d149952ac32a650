"""The whole line in a copied tree at a tiny scale: made once, recorded once, then copied or cloned for each test."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COPIED = [
    "Snakefile",
    "dvc.yaml",
    "params.yaml",
    "requirements.lock",
    ".gitignore",
    ".dvcignore",
    "workflow",
    "profiles",
    "src",
    "data/reported",
]


def each(value):
    return dict.fromkeys(["covid19", "normal", "bacterial_pneumonia"], value)


TINY = {
    "phantom": {
        "cohorts": {"covid19_diag": {"cases": each(3), "slices": each(7), "slices_per_case": [2, 3]}},
    },
    "preprocess": {"image_size": 32},
    "protocols": {"case_wise": {"train_slices": None}},
    "network": {"width": 0.0625, "weights": "none"},
    "regimens": {"paper": {"epochs": 2, "lr": 0.01, "batch_size": 8, "rate": {"milestones": [1]}}},
    "train": {"runs": 2, "threads": 1},
}
"""Laid over scales.demo."""


EXPERIMENTS = ("vgg16_bn_ce", "dsn_saal", "dsn_saal_normalised")
"""The fewest that fill every table."""


AUDITED = {
    "COVID19-Diag": {
        "dataset": "covid19_diag",
        "methods": {"DSN-SAAL (VGG-16)": ["dsn_saal"], "VGG-16": ["vgg16_bn_ce"]},
        "falling": None,
    }
}
"""What of the reported numbers has something beside it there."""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.workflow)


class Tree:
    """A working tree; every command is what a person would type there."""

    def __init__(self, root):
        self.root = root
        self.said = ""

    @property
    def environment(self):
        path = os.pathsep.join([str(BIN), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "PYTHONPATH": str(self.root / "src"), "DVC_NO_ANALYTICS": "1"}

    def sh(self, *command, check=True):
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = done.stdout
        assert not (check and done.returncode), f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def snakemake(self, *arguments):
        """The jobs that Snakemake runs, or would run, without the lists of what belongs where."""
        return jobs(self.sh("snakemake", "--cores", "2", *arguments))

    def planned(self, *targets):
        return self.snakemake("--dry-run", *(targets or ["all"]))

    def repro(self, *stages):
        return jobs(self.sh("dvc", "repro", *stages))

    def status(self):
        return self.sh("dvc", "status")

    def put(self, key, value):
        """Edit params.yaml."""
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        *way, last = key.split(".")
        place = params
        for step in way:
            place = place[step]
        place[last] = value
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def drop(self, key):
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        *way, last = key.split(".")
        place = params
        for step in way:
            place = place[step]
        del place[last]
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    @property
    def experiments(self):
        return list(yaml.safe_load((self.root / "params.yaml").read_text())["experiments"])

    def keep(self, section, *names):
        """Take every other entry out of a section."""
        params = yaml.safe_load((self.root / "params.yaml").read_text())
        for name in params[section].keys() - set(names):
            self.drop(f"{section}.{name}")

    def leave_out(self, *datasets):
        """Take data sets out, as a person would: from params.yaml and from dvc.yaml."""
        stages = self.root / "dvc.yaml"
        for name in datasets:
            self.drop(f"datasets.{name}")
            self.drop(f"phantom.cohorts.{name}")
            stages.write_text(stages.read_text().replace(f"      - ${{datasets.{name}.source}}\n", ""))

    def commit(self, message):
        self.sh("git", "add", "-A")
        self.sh("git", "commit", "-qm", message)

    def hashes(self, folder):
        files = (path for path in (self.root / folder).rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): sha256(path) for path in files}

    def require_evaluations_to_match_training(self):
        """Every run was evaluated with the weights that lie there, and they were trained under the present params."""
        params = yaml.safe_load((self.root / "params.yaml").read_text())
        measured = sorted((self.root / "results/evaluate").rglob("run-*/metrics.json"))
        assert len(measured) == len(params["experiments"]) * params["scales"]["demo"]["train"]["runs"]
        for path in measured:
            experiment, run = path.parts[-3:-1]
            training = json.loads(path.read_text())["training"]
            folder = self.root / "results/train" / experiment / run
            assert training["weights_sha256"] == sha256(folder / "weights.safetensors"), path
            earlier = {path.name: sha256(path) for path in folder.glob("weights_epoch_*")}
            assert training.get("earlier_weights_sha256", {}) == earlier, path
            record = json.loads((folder / "run.json").read_text())
            assert training["record"]["identity"] == record["identity"]
            loss = params["losses"][params["experiments"][experiment]["loss"]]
            assert record["settings"]["loss"] == {**record["settings"]["loss"], **loss}


def shorten_reported(path):
    """Leave out the rates whose feasible matrices take a minute to search."""
    raw = yaml.safe_load(path.read_text())
    raw["reported"] = [row for row in raw["reported"] if row["unit"] == "count" or row["table"] == "9"]
    held = {(row["table"], row["method"]) for row in raw["reported"]}
    raw["rows"] = [row for row in raw["rows"] if (row["table"], row["method"]) in held]
    path.write_text(yaml.safe_dump(raw, sort_keys=False))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jobs(said):
    found = set()
    for rule, body in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", said, flags=re.M):
        wildcards = re.search(r"^    wildcards: (.*)$", body, flags=re.M)
        values = re.findall(r"=([^,]+)", wildcards[1]) if wildcards else []
        found.add(" ".join([rule, *values]))
    return {job for job in found if not job.startswith("manifest") and job != "all"}


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Everything made by one Snakemake, then recorded by DVC and pushed to a folder."""
    base = tmp_path_factory.mktemp("line")
    tree = Tree(base / "work")
    tree.root.mkdir()
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, tree.root / name, **({"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}))
    (tree.root / ".dvc").mkdir()
    shutil.copy2(ROOT / ".dvc/config", tree.root / ".dvc/config")
    shutil.copy2(ROOT / ".dvc/.gitignore", tree.root / ".dvc/.gitignore")
    for section, values in TINY.items():
        for key, value in values.items():
            tree.put(f"scales.demo.{section}.{key}", value)
    tree.put("evaluate.bootstrap_draws", 100)
    tree.put("analyse.bootstrap_draws", 100)
    tree.leave_out("covid_ct_md", "covidx_ct", "covid_ct")
    tree.put("datasets.covid19_diag.protocols", ["case_wise", "covid_10"])
    tree.put("phantom.cohorts.sars_cov_2.slices", {"covid19": 10, "non_covid19": 10})
    tree.put("phantom.cohorts.sars_cov_2.cases", {"covid19": 3, "non_covid19": 3})
    tree.put("phantom.cohorts.sars_cov_2.slices_per_case", [2, 4])
    tree.put("protocols.folds_by_block.block_size", 2)
    tree.keep("experiments", *EXPERIMENTS)
    tree.keep("methods", "plain")
    for item in ("table3", "table4", "table5", "figure4"):
        tree.put(f"report.{item}", ["vgg16_bn_ce", "dsn_saal"])
    for item in ("table7a", "table7b", "table8", "table9"):
        tree.put(f"report.{item}", [])
    tree.put("report.table6", {"VGG-16": ["vgg16_bn_ce"], "DSN-SAAL": ["dsn_saal"]})
    tree.put("report.saal_ablation", ["dsn_saal", "dsn_saal_normalised"])
    tree.put("report.control", None)
    tree.put("audit.sets", AUDITED)
    shorten_reported(tree.root / "data/reported/hu2021.yaml")
    tree.put("report.shortcut", None)
    tree.put("probe.cross_tests", {"covid19_diag": "case_wise", "sars_cov_2": "folds_by_block"})
    tree.put("probe.sanity_draws", 1)
    tree.sh("git", "init", "-q", "-b", "main")
    tree.sh("git", "config", "user.name", "tester")
    tree.sh("git", "config", "user.email", "tester@example.org")
    made = tree.snakemake("all")
    assert {"train dsn_saal", "evaluate vgg16_bn_ce", "report"} <= made
    assert tree.repro() == set(), "dvc repro after snakemake all only records"
    tree.commit("results")
    tree.sh("dvc", "remote", "add", "-q", "--local", "-d", "folder", str(base / "remote"))
    tree.sh("dvc", "push", "-q")
    return tree


@pytest.fixture
def tree(finished, tmp_path):
    """A copy of the finished tree, times kept."""
    shutil.copytree(finished.root, tmp_path / "work", symlinks=True)
    return Tree(tmp_path / "work")


@pytest.fixture
def clone(finished, tmp_path):
    """A fresh clone with pulled results; takes the cache type."""

    def make(cache_type):
        subprocess.run(["git", "clone", "-q", str(finished.root), str(tmp_path / "work")], check=True)
        tree = Tree(tmp_path / "work")
        tree.sh("git", "config", "user.name", "tester")
        tree.sh("git", "config", "user.email", "tester@example.org")
        tree.sh("dvc", "remote", "add", "-q", "--local", "-d", "folder", str(finished.root.parent / "remote"))
        tree.sh("dvc", "config", "--local", "cache.type", cache_type)
        tree.sh("dvc", "pull", "-q")
        return tree

    return make
