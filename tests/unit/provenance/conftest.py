"""A small workflow of the project's shape, with real Snakemake and DVC: experiments are trained, evaluated, tabled.

Its jobs are lines of shell, so that what a result was made from can be read in the result itself.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

SNAKEFILE = """
from pathlib import Path
from dsn_saal.domain.errors import DsnSaalError
from dsn_saal.provenance.glue import attach
from snakemake.exceptions import WorkflowError

configfile: "params.yaml"

FOLDERS = ["results/train", "results/evaluate", "results/table"]

try:
    glue = attach(workflow, roots=FOLDERS, package=Path("package"), lock=Path("lock.txt"))
except DsnSaalError as error:
    raise WorkflowError(error.text()) from None

onstart:
    glue.start()

onsuccess:
    glue.learn()

onerror:
    glue.learn()

def made(folder):
    return {
        "results/train": expand("results/train/{name}/SHA256SUMS", name=config["lr"]),
        "results/evaluate": expand("results/evaluate/{name}.txt", name=config["lr"]),
        "results/table": ["results/table/table.txt"],
    }[folder]

rule all:
    input: expand("{folder}/MANIFEST", folder=FOLDERS)

rule train:
    input: "data/{name}.txt"
    output: "results/train/{name}/SHA256SUMS"
    params:
        lr=lambda wildcards: config["lr"][wildcards.name],
        runs=config["runs"],
        code=glue.code("train"),
        outside=lambda wildcards: glue.fingerprint("../outside"),
    shell:
        "echo train {wildcards.name} >> ran.txt; ${{SLOW:-true}}; "
        "d=results/train/{wildcards.name}; rm -rf $d; mkdir -p $d; "
        "for r in $(seq {params.runs}); do echo $(cat {input}) lr {params.lr} run $r > $d/run-$r.txt; done; "
        "(cd $d; sha256sum run-*.txt > SHA256SUMS)"

rule evaluate:
    input: "results/train/{name}/SHA256SUMS"
    output: "results/evaluate/{name}.txt"
    params: title=lambda wildcards: config["title"]
    shell:
        "echo evaluate {wildcards.name} >> ran.txt; "
        "(cat results/train/{wildcards.name}/run-*.txt; echo of {params.title}) > {output}.part; "
        "mv {output}.part {output}"

rule table:
    input: expand("results/evaluate/{name}.txt", name=config["lr"])
    output: "results/table/table.txt"
    shell: "echo table >> ran.txt; cat {input} > {output}.part; mv {output}.part {output}"

rule manifest:
    input: lambda wildcards: made(wildcards.folder)
    output: "{folder}/MANIFEST"
    wildcard_constraints: folder="|".join(FOLDERS)
    shell: "dsn-saal provenance tidy --manifest {output} {input}"
"""

DVC = """
stages:
  train:
    cmd:
      - snakemake --cores 2 --allowed-rules train manifest -- results/train/MANIFEST
      - dsn-saal provenance export --out provenance/train.json results/train
    params: [lr, runs]
    deps: [Snakefile, package, lock.txt, data, ../outside]
    outs:
      - results/train: {persist: true}
      - provenance/train.json: {persist: true, cache: false}
  evaluate:
    cmd:
      - snakemake --cores 2 --allowed-rules evaluate table manifest -- results/evaluate/MANIFEST results/table/MANIFEST
      - dsn-saal provenance export --out provenance/evaluate.json results/evaluate results/table
    params: [lr, title]
    deps: [Snakefile, results/train]
    outs:
      - results/evaluate: {persist: true}
      - results/table: {persist: true, cache: false}
      - provenance/evaluate.json: {persist: true, cache: false}
"""

PROFILE = "rerun-incomplete: true\nmax-checksum-file-size: 1000000000000\nscheduler: greedy\n"

PARAMS = {"lr": {"one": 0.1, "two": 0.1}, "runs": 2, "title": "first"}


class Toy:
    """A working folder; every command is what a person would type there."""

    def __init__(self, root):
        self.root = root

    @property
    def environment(self):
        return {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]), "DVC_NO_ANALYTICS": "1"}

    def sh(self, *command, check=True):
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def ran(self, *command):
        """The jobs that a command runs, without the lists of files."""
        log = self.root / "ran.txt"
        log.unlink(missing_ok=True)
        self.said = self.sh(*command)
        return set(log.read_text().splitlines()) if log.exists() else set()

    def all(self, *arguments):
        return self.ran("snakemake", "--cores", "2", *arguments, "all")

    def planned(self):
        """The jobs that a dry run announces."""
        self.said = self.sh("snakemake", "-n", "all")
        jobs = re.findall(
            r"^rule (\w+):\n(?:    .*\n)*?    jobid: \d+\n(?:    (?!wild).*\n)*(?:    wildcards: name=(\w+))?",
            self.said,
            flags=re.M,
        )
        return {" ".join(filter(None, job)) for job in jobs} - {"all", "manifest"}

    def params(self, **changes):
        import yaml

        self.now = {**getattr(self, "now", PARAMS), **changes}
        (self.root / "params.yaml").write_text(yaml.safe_dump(self.now))

    def matches(self):
        """Whether every evaluation holds exactly what its training wrote."""
        for evaluated in self.files("results/evaluate", "*.txt"):
            trained = sorted((self.root / "results/train" / evaluated.stem).glob("run-*.txt"))
            text = "".join(path.read_text() for path in trained)
            assert evaluated.read_text() == f"{text}of {self.now['title']}\n", evaluated

    def files(self, folder, pattern):
        return sorted((self.root / folder).rglob(pattern))

    def commit(self, message):
        self.sh("git", "add", "-A")
        self.sh("git", "commit", "-qm", message)


@pytest.fixture(scope="session")
def finished_toy(tmp_path_factory):
    """The toy with everything made once; copied for each test."""
    base = tmp_path_factory.mktemp("toy")
    toy = Toy(base / "work")
    (base / "outside").mkdir()
    (base / "outside/case.txt").write_text("from outside\n")
    for folder in ("data", "package", "profiles/default"):
        (toy.root / folder).mkdir(parents=True)
    for name in ("one", "two", "three"):
        (toy.root / f"data/{name}.txt").write_text(f"data {name}\n")
    (toy.root / "package/__init__.py").write_text('"""Code that train runs."""\n')
    (toy.root / "package/train.py").write_text("import toylib\nfrom package.loop import epochs\n")
    (toy.root / "package/loop.py").write_text("epochs = 3  # three\n")
    (toy.root / "lock.txt").write_text("toylib==1.0\nother==1.0\n")
    (toy.root / "Snakefile").write_text(SNAKEFILE)
    (toy.root / "profiles/default/config.yaml").write_text(PROFILE)
    (toy.root / "dvc.yaml").write_text(DVC)
    (toy.root / ".gitignore").write_text(".snakemake/\n.dsn_saal/\nran.txt\n")
    toy.params()
    assert toy.all() == {"train one", "train two", "evaluate one", "evaluate two", "table"}
    toy.matches()
    return base


@pytest.fixture
def toy(finished_toy, tmp_path):
    shutil.copytree(finished_toy, tmp_path, symlinks=True, dirs_exist_ok=True)
    copy = Toy(tmp_path / "work")
    copy.params()
    return copy


@pytest.fixture(scope="session")
def recorded_toy(finished_toy, tmp_path_factory):
    """The toy in git and DVC, recorded by `dvc repro` after Snakemake made everything, pushed to a folder."""
    base = tmp_path_factory.mktemp("recorded")
    shutil.copytree(finished_toy, base, symlinks=True, dirs_exist_ok=True)
    toy = Toy(base / "work")
    toy.params()
    toy.sh("git", "init", "-q", "-b", "main")
    toy.sh("git", "config", "user.name", "toy")
    toy.sh("git", "config", "user.email", "toy@example.org")
    toy.sh("dvc", "init", "-q")
    for key, value in {"core.analytics": "false", "core.autostage": "false", "cache.type": "reflink,copy"}.items():
        toy.sh("dvc", "config", key, value)
    assert toy.ran("dvc", "repro") == set()
    toy.commit("first")
    toy.sh("dvc", "remote", "add", "-q", "--local", "-d", "folder", str(base / "remote"))
    toy.sh("dvc", "push", "-q")
    return base


@pytest.fixture
def recorded(recorded_toy, tmp_path):
    shutil.copytree(recorded_toy, tmp_path, symlinks=True, dirs_exist_ok=True)
    toy = Toy(tmp_path / "work")
    toy.params()
    return toy


@pytest.fixture
def clone(recorded_toy, tmp_path):
    """A fresh clone with pulled results; takes the cache type."""

    def make(cache_type):
        shutil.copytree(recorded_toy / "outside", tmp_path / "outside")
        subprocess.run(["git", "clone", "-q", str(recorded_toy / "work"), str(tmp_path / "work")], check=True)
        toy = Toy(tmp_path / "work")
        toy.sh("git", "config", "user.name", "toy")
        toy.sh("git", "config", "user.email", "toy@example.org")
        toy.sh("dvc", "remote", "add", "-q", "--local", "-d", "folder", str(recorded_toy / "remote"))
        toy.sh("dvc", "config", "--local", "cache.type", cache_type)
        toy.sh("dvc", "pull", "-q")
        toy.now = PARAMS
        return toy

    return make
