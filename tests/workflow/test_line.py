"""Snakemake and DVC together on the whole line: the contract of the workflow, each clause by what it promises."""

import os
import shutil
import signal
import subprocess
import time

import pytest

ONE_LOSS = {"train dsn_saal", "evaluate dsn_saal", "predict dsn_saal", "metrics"}


def up_to_evaluate(jobs):
    return {job for job in jobs if job.split()[0] in {"train", "evaluate", "predict", "metrics"}}


@pytest.mark.parametrize("cache_type", ["copy", "hardlink", "symlink"])
def test_a_clone_has_nothing_to_do_an_edit_is_followed_through_and_taken_back(clone, cache_type):
    tree = clone(cache_type)
    before = tree.hashes("results/evaluate")
    assert tree.planned() == set() and "content:" not in tree.said
    assert "up to date" in tree.status()

    tree.put("losses.saal.log_zero", -9.0)
    planned = tree.planned()
    assert up_to_evaluate(planned) == ONE_LOSS
    assert not {job.split()[0] for job in planned} & {"phantom", "ingest", "preprocess", "split", "table2", "figure3"}
    if cache_type == "copy":
        made = tree.repro()  # a plan cannot know that a file will come out as it was, after which nothing follows
        assert made <= planned and up_to_evaluate(made) == ONE_LOSS and {"report", "html", "table6"} <= made
        assert "up to date" in tree.status()
    else:
        assert tree.repro("evaluate") == ONE_LOSS
    tree.require_evaluations_to_match_training()
    after = tree.hashes("results/evaluate")
    changed = {path.split("/")[2] for path in before | after if before.get(path) != after.get(path)}
    assert changed == {"dsn_saal"}
    tree.commit("another loss")

    tree.sh("git", "checkout", "-q", "HEAD~1")
    tree.sh("dvc", "checkout", "-q")
    assert tree.planned() == set()
    assert "up to date" in tree.status()
    assert tree.hashes("results/evaluate") == before
    tree.sh("git", "checkout", "-q", "main")
    tree.sh("dvc", "checkout", "-q")
    assert up_to_evaluate(tree.planned()) == set()
    assert tree.hashes("results/evaluate") == after


def test_one_run_more_trains_that_run_only_and_one_run_less_leaves_none_behind(clone):
    tree = clone("hardlink")
    before = tree.hashes("results/train") | tree.hashes("results/evaluate")
    tree.put("scales.demo.train.runs", 3)
    planned = up_to_evaluate(tree.planned())
    every = {f"{rule} {name}" for rule in ("train", "evaluate") for name in tree.experiments}
    assert planned == every | {"predict vgg16_bn_ce", "predict dsn_saal", "metrics"}
    assert tree.repro("evaluate") == planned
    assert tree.said.count("is there already") == 2 * len(tree.experiments)
    tree.require_evaluations_to_match_training()
    kept = tree.hashes("results/train")
    assert all(kept[path] == digest for path, digest in before.items() if "/run-0" in path and path in kept)
    tree.put("scales.demo.train.runs", 2)
    tree.repro("evaluate")
    tree.require_evaluations_to_match_training()
    assert tree.hashes("results/train") | tree.hashes("results/evaluate") == before


def test_killed_in_training_it_goes_on_and_gives_the_same_bytes(tree):
    tree.put("losses.saal.log_zero", -3.0)
    tree.put("scales.demo.regimens.paper.epochs", 60)
    target = "results/train/dsn_saal/SHA256SUMS"
    first_run = tree.root / ".dsn_saal/train/dsn_saal/run-00/run.json"
    running = subprocess.Popen(
        ["snakemake", "--cores", "2", target],
        cwd=tree.root,
        env=tree.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not first_run.exists() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert first_run.exists() and not (tree.root / target).exists()
    assert tree.snakemake(target) == {"train dsn_saal"}
    assert tree.said.count("is there already") == 1
    resumed = tree.hashes("results/train/dsn_saal")
    shutil.rmtree(tree.root / "results/train/dsn_saal")
    tree.snakemake(target)
    assert "is there already" not in tree.said
    assert tree.hashes("results/train/dsn_saal") == resumed


def test_touches_comments_and_formatting_rerun_nothing(tree):
    for path in tree.root.rglob("*"):
        if path.is_file() and not {".git", ".snakemake", ".dsn_saal", ".dvc"} & set(path.parts):
            path.touch()
    loss = tree.root / "src/dsn_saal/losses/saal.py"
    loss.write_text("# A thought.\n" + loss.read_text().replace('"""', '"""In other words: ', 1) + "\n\n")
    rules = tree.root / "workflow/rules/train.smk"
    rules.write_text(rules.read_text().replace("    input:\n", "    # what it reads\n    input:\n\n"))
    tree.sh("snakefmt", "workflow/rules/train.smk")
    assert tree.planned() == set()
    assert tree.repro("train") == set()
    assert "up to date" in tree.sh("dvc", "status", "train")


def test_an_edit_of_the_code_reruns_the_rules_that_run_it(tree):
    loss = tree.root / "src/dsn_saal/losses/saal.py"
    loss.write_text(loss.read_text() + "\n\nMOST = 1.0\n")
    because = [job for job in tree.sh("snakemake", "-n", "all").split("\n[") if "Params have changed" in job]
    assert {line.split()[1] for job in because for line in job.splitlines() if line.startswith("rule ")} == {"train:"}
    assert "src/dsn_saal/losses" in tree.status()


def test_an_altered_result_is_noticed_by_both(tree):
    metrics = tree.root / "results/evaluate/dsn_saal/run-01/metrics.json"
    metrics.write_text(metrics.read_text().replace("0.", "0.9", 1))
    planned = tree.planned()
    assert "evaluate dsn_saal" in planned and "train dsn_saal" not in planned
    assert "metrics.json: it was altered outside the workflow" in tree.said
    assert "results/evaluate" in tree.status()
    slice_ = next((tree.root / "data/raw/phantom").rglob("*.dcm"))
    slice_.write_bytes(slice_.read_bytes()[:-2] + b"\x01\x00")
    assert "phantom covid19_diag" in tree.planned()
    assert "was altered" in tree.said


def test_a_wrong_params_file_stops_a_dry_run(tree):
    tree.put("losses.saal.log_zero", 4)
    assert "losses.saal.saal.log_zero" in tree.sh("snakemake", "-n", "all", check=False)
    tree.put("losses.saal.log_zero", -4.0)
    tree.put("preprocess.lung.treshold", 170)
    said = tree.sh("snakemake", "-n", "all", check=False)
    assert "preprocess.lung.treshold" in said and "jobid" not in said


def test_a_removed_experiment_leaves_nothing_behind(tree):
    tree.drop("experiments.vgg16_bn_ce")
    for item in ("table3", "table4", "table5", "figure4"):
        tree.put(f"report.{item}", ["dsn_saal"])
    tree.put("report.table6", {"DSN-SAAL": ["dsn_saal"]})
    tree.put("analyse.experiments", ["dsn_saal"])
    tree.put("audit.sets.COVID19-Diag.methods", {"DSN-SAAL (VGG-16)": ["dsn_saal"]})
    for item in ("cam", "cross"):
        tree.put(f"probe.{item}", ["dsn_saal"])
    assert tree.snakemake("results/train/MANIFEST", "results/evaluate/MANIFEST", "results/metrics.json") == {"metrics"}
    assert not list((tree.root / "results/train").rglob("vgg16*"))
    assert not list((tree.root / "results/evaluate").rglob("vgg16*"))
    assert "vgg16" not in (tree.root / "results/metrics.json").read_text()


def test_a_changed_file_of_data_from_outside_is_noticed_by_both(tree):
    outside = tree.root.parent / "hospital"
    shutil.copytree(tree.root / "data/raw/phantom/covid19_diag/dicom", outside)
    tree.put("datasets.covid19_diag.source", "../hospital")
    assert tree.repro("ingest") == {"ingest covid19_diag"}
    assert not list((tree.root / "data/raw/phantom").rglob("*.dcm"))
    assert tree.planned("results/ingest/MANIFEST") == set()
    slice_ = next(outside.rglob("*.dcm"))
    slice_.touch()
    assert tree.planned("results/ingest/MANIFEST") == set()
    slice_.unlink()
    assert tree.planned("results/ingest/MANIFEST") == {"ingest covid19_diag"}
    assert "hospital" in tree.sh("dvc", "status", "ingest")
