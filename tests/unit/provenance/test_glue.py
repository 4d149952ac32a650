"""Snakemake held to contents: each test is something that happens to a working folder, and what has to run then."""

import os
import signal
import subprocess
import time

from dsn_saal.provenance.locks import at_work

EVERYTHING = {"train one", "train two", "evaluate one", "evaluate two", "table"}
ONE = {"train one", "evaluate one", "table"}


def test_touching_copying_and_reordering_times_reruns_nothing(toy):
    files = [path for path in toy.root.rglob("*.*") if path.is_file() and ".snakemake" not in path.parts]
    for number, path in enumerate(sorted(files)):
        os.utime(path, (1e9 + number, 1e9 + number))
    assert toy.planned() == set()
    for path in toy.files("results", "*"):
        path.touch()
    assert toy.all() == set()
    assert "Nothing to be done" in toy.said and "content:" not in toy.said


def test_one_parameter_reruns_its_jobs_only(toy):
    toy.params(lr={"one": 0.2, "two": 0.1})
    assert toy.all() == ONE
    toy.matches()
    assert toy.all() == set()


def test_a_changed_input_counts_even_where_it_is_older(toy):
    path = toy.root / "data/one.txt"
    path.write_text("other data\n")
    os.utime(path, (1, 1))
    assert toy.planned() == ONE
    assert "made from another data/one.txt" in toy.said
    path.write_text("data one\n")
    assert toy.planned() == set()


def test_an_altered_output_is_made_again(toy):
    path = toy.root / "results/evaluate/one.txt"
    times = path.stat()
    path.write_text(path.read_text().replace("run 1", "run 7"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert toy.all() == {"evaluate one", "table"}
    assert "results/evaluate/one.txt: it was altered outside the workflow" in toy.said
    toy.matches()


def test_altered_files_behind_a_listing_are_made_again(toy):
    (toy.root / "results/train/one/run-2.txt").write_text("better weights\n")
    (toy.root / "results/train/two/run-1.txt").unlink()
    assert toy.all() == EVERYTHING
    assert "run-2.txt was altered" in toy.said and "run-1.txt is missing" in toy.said
    toy.matches()


def test_a_file_put_back_is_as_good_as_before(toy):
    path = toy.root / "results/table/table.txt"
    good = path.read_text()
    path.write_text("nonsense\n")
    assert toy.planned() == {"table"}
    path.write_text(good)
    assert toy.planned() == set()


def test_a_removed_output_is_made_again(toy):
    (toy.root / "results/evaluate/two.txt").unlink()
    assert toy.all() >= {"evaluate two"}
    toy.matches()


def test_from_another_folder_it_is_the_same(toy):
    said = toy.sh(
        "sh", "-c", f"mkdir ../elsewhere; cd ../elsewhere; snakemake -n -s ../work/Snakefile -d {toy.root} all"
    )
    assert "Nothing to be done" in said
    assert not list((toy.root.parent / "elsewhere").iterdir())


def test_data_from_outside_count_by_content(toy):
    (toy.root.parent / "outside/case.txt").touch()
    assert toy.planned() == set()
    (toy.root.parent / "outside/another.txt").write_text("a new case\n")
    assert toy.planned() == EVERYTHING


def test_code_counts_by_meaning(toy):
    loop = toy.root / "package/loop.py"
    loop.write_text('"""How long."""\n\nepochs = (\n    3\n)\n"""Long enough."""\n')
    (toy.root / "package/unused.py").write_text("epochs = 4\n")
    lock = toy.root / "lock.txt"
    lock.write_text("# pinned\ntoylib==1.0 --hash=sha256:0\nother==2.0\n")
    assert toy.planned() == set()
    lock.write_text("toylib==1.1\n")
    assert toy.planned() == EVERYTHING
    lock.write_text("toylib==1.0\n")
    loop.write_text("epochs = 4\n")
    assert toy.planned() == EVERYTHING


def test_a_lost_record_is_no_licence(toy):
    import shutil

    shutil.rmtree(toy.root / ".snakemake/metadata")
    assert toy.planned() == EVERYTHING
    assert "files without a record" in toy.said


def test_a_removed_experiment_leaves_nothing_behind(toy):
    toy.params(lr={"one": 0.1})
    assert toy.all() == {"table"}
    assert not toy.files("results", "*two*")
    assert (toy.root / "results/train/MANIFEST").read_text() == "one/SHA256SUMS\none/run-1.txt\none/run-2.txt\n"
    toy.params(lr={"one": 0.1, "two": 0.1})
    assert toy.all() == {"train two", "evaluate two", "table"}


def test_a_stranger_in_a_stage_is_removed(toy):
    (toy.root / "results/evaluate/notes.txt").write_text("by hand\n")
    assert toy.all() == set()
    assert "notes.txt does not belong there" in toy.said
    assert not (toy.root / "results/evaluate/notes.txt").exists()


def test_a_killed_run_leaves_no_lock_and_nothing_half_done(toy):
    toy.params(lr={"one": 0.3, "two": 0.3})
    (toy.root / "ran.txt").unlink(missing_ok=True)
    endless = subprocess.Popen(
        ["snakemake", "--cores", "1", "all"],
        cwd=toy.root,
        env={**toy.environment, "SLOW": "sleep 600"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (toy.root / "ran.txt").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        busy = toy.sh("snakemake", "--cores", "1", "all", check=False)
        assert "another run is at work" in busy
        assert list((toy.root / ".snakemake/locks").iterdir())
    finally:
        os.killpg(endless.pid, signal.SIGKILL)
        endless.wait()
    assert toy.all() == EVERYTHING
    toy.matches()
    assert toy.all() == set()


def test_a_job_that_outlives_its_killed_snakemake_is_waited_for(toy, monkeypatch):
    monkeypatch.chdir(toy.root)
    with at_work():
        assert "another run is at work" in toy.sh("snakemake", "-n", "all")
        toy.params(title="second")
        refused = toy.sh("snakemake", "--cores", "1", "all", check=False)
        assert "a job that a killed run left behind" in refused
    assert toy.all() == {"evaluate one", "evaluate two", "table"}


def test_touch_is_refused(toy):
    toy.params(lr={"one": 0.2, "two": 0.1})
    said = toy.sh("snakemake", "--cores", "1", "--touch", "all", check=False)
    assert "--touch would declare old results" in said
    assert toy.planned() == ONE


def test_without_the_profile_it_is_loud_not_stale(toy):
    (toy.root / "results/evaluate/one.txt").write_text("nonsense\n")
    said = toy.sh("snakemake", "--cores", "1", "--workflow-profile", "none", "all", check=False)
    assert "IncompleteFilesException" in said
    toy.sh("snakemake", "--cleanup-metadata", "results/evaluate/one.txt")
    assert toy.all() == {"evaluate one", "table"}
    toy.matches()


def test_another_snakemake_is_refused(toy):
    (toy.root / "Snakefile").write_text(
        "import dsn_saal.provenance.records as r\nr.SNAKEMAKE_VERSION = '9.99'\n" + (toy.root / "Snakefile").read_text()
    )
    said = toy.sh("snakemake", "-n", "all", check=False)
    assert "knows one version" in said and "known: 9.99" in said
