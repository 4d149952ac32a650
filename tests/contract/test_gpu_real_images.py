"""Real images on a GPU machine: pack, train without the project's environment, unpack. Here phantoms, at toy size."""

import json
import re
from argparse import Namespace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from test_gpu_scripts import ROOT, SCRIPTS, call, scripts  # noqa: F401 - a fixture

from dsn_saal.evaluate.summary import run_metrics
from dsn_saal.params import read_settings
from dsn_saal.storage.atomic import write_json
from dsn_saal.storage.tables import read_table, write_table

EXPERIMENTS = ("dsn_saal", "vgg16_bn_ce")
FINDING = "article: 10.1000/both"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Preprocessed images, a split that is certified to leak at one level, and tiny params that accept it."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    demo = raw["scales"]["demo"]
    demo["network"]["width"], demo["train"]["runs"], demo["preprocess"]["image_size"] = 0.05, 1, 32
    demo["regimens"]["paper"] |= {"epochs": 2, "batch_size": 8, "rate": {"milestones": [1]}}
    raw["datasets"]["covid_ct"]["accept"] = [FINDING]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    images, split = tmp_path / "results/preprocess/covid_ct", tmp_path / "results/split/covid_ct"
    labels = np.arange(30) % 2
    images.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 100, (30, 32, 32)) + 100 * labels[:, None, None]
    np.save(images / "images.npy", pixels.astype(np.uint8))
    table = pd.DataFrame({"row": np.arange(30), "case": [f"c{i // 2}" for i in range(30)], "label": labels})
    write_table(images / "index.parquet", table.assign(origin="phantom", file_sha256="a", pixel_sha256="b"))
    part = np.repeat(["train", "validation", "test", "unused"], [18, 2, 8, 2])
    write_table(split / "official.parquet", table.assign(draw=0, part=part))
    level = {"verdict": "VIOLATED", "found": 1, "missing": 0, "findings": [{"name": FINDING}]}
    conflicts = [{"name": "pixel: one.png = other.png", "labels": [0, 1]}]
    certificate = {"verdict": "VIOLATED", "levels": {"article": level}, "label_conflicts": conflicts}
    write_json(split / "official.certificate.json", certificate | {"label_conflicts_total": 1})
    return tmp_path


def packed(place, *more):
    from real_images import main

    arguments = ["pack", "--dataset", "covid_ct", "--protocol", "official", "--params", str(place / "params.yaml")]
    arguments += ["--results", str(place / "results"), "--out", str(place / "pack"), "--experiments", *EXPERIMENTS]
    return main([*arguments, *more])


def trained_here(place, out, minutes=5):
    from images_train import train_all

    train_all(
        Namespace(
            pack=place / "pack", out=out, minutes=minutes, runs=None, experiments=None, device="cpu", precision=None,
            checkpoint_seconds=1e9,
        )
    )  # fmt: skip


def test_from_pack_to_table(place, monkeypatch, capsys):
    import images_train
    from real_images import main

    assert packed(place) == 0
    assert "18 train, 8 test, 2 validation; 32 px; 2 experiments" in capsys.readouterr().out
    runs, here = place / "runs", place / "here"
    said = call("real_images.py", "train", "--pack", place / "pack", "--out", runs)
    assert "2 of 2 runs are finished" in said

    stopping, steps = images_train.stopping, []

    def stopped_early(path, identity, *_):
        """As if the time were up after the fourth step: one of the second epoch."""
        after = stopping(path, identity, 0.0, 1e18, 0.0)

        def after_step(run):
            after(run)
            steps.append(run)
            if len(steps) == 4:
                raise images_train.TimeIsUp

        return after_step

    monkeypatch.setattr(images_train, "stopping", stopped_early)
    trained_here(place, here)
    assert "0 of 2 runs are finished; time is up" in capsys.readouterr().out
    assert [path.name for path in here.rglob("*") if path.is_file()] == ["checkpoint.safetensors"]
    monkeypatch.setattr(images_train, "stopping", stopping)
    trained_here(place, here)
    for name in EXPERIMENTS:
        unbroken, resumed = (json.loads((root / name / "run-00/run.json").read_text()) for root in (runs, here))
        assert unbroken["weights_sha256"] == resumed["weights_sha256"] and unbroken["files"] == resumed["files"]
        assert not (here / name / "run-00/checkpoint.safetensors").exists()

    out = ["--pack", str(place / "pack"), "--runs", str(runs), "--out", str(place / "table")]
    assert main(["unpack", *out]) == 0
    text, content = (place / "table.md").read_text(), json.loads((place / "table.json").read_text())
    assert "**Random initialisation: comparable among these rows only.**" in text and "(phantom data)" in text
    assert (
        f"article level: {FINDING.removeprefix('article: ')}." in text
        and "pixel: one.png = other.png, labelled COVID-19 and No COVID-19" in text
    )
    import images_report

    assert images_report.told(content) == text
    assert str(place.parent) not in text.split("`")[0]
    assert text.index("| DSN-SAAL | 1 |") < text.index("| VGG-16 | 1 |")  # in the order that was asked for
    predictions = read_table(runs / "dsn_saal/run-00/predictions.parquet")
    assert len(predictions) == 8 and len(predictions.columns) == 2 + 6 * 2
    ordinary = predictions.rename(columns=lambda name: name.replace("final.", "p_"))
    classes = read_settings(place / "params.yaml").datasets["covid_ct"].class_set
    expected = run_metrics(ordinary, classes)["accuracy.overall"]
    assert content["experiments"]["dsn_saal"]["metrics"]["accuracy.overall"]["values"] == [expected]

    adapted, history = (
        content["experiments"]["dsn_saal"]["adaptation"],
        pd.read_csv(runs / "dsn_saal/run-00/history.csv"),
    )
    for end, row in (("first", history.iloc[0]), ("last", history.iloc[-1])):
        weights = np.array([row["w_covid19"], row["w_non_covid19"]])
        assert adapted[end]["epoch"] == row["epoch"] and adapted[end]["alpha"] == pytest.approx([row["alpha"]])
        assert [adapted[end][f"beta_{i}"] for i in range(1, 7)] == [
            pytest.approx([row[f"beta_{i}"]]) for i in range(1, 7)
        ]
        assert adapted[end]["mean_weight"] == pytest.approx([weights.mean()])
        assert adapted[end]["relative_covid19"] == pytest.approx([weights[0] / weights.mean()])
        assert f"| DSN-SAAL | {row['epoch']:.0f} | {row['alpha']:.5f} [" in text
    assert "beta_7" not in adapted["first"] and content["experiments"]["vgg16_bn_ce"]["adaptation"] is None
    assert "Inverse frequencies of the 9 and 9 training images" in text and "would give 1.000 and 1.000." in text

    record = runs / "vgg16_bn_ce/run-00/run.json"
    record.write_text(record.read_text().replace('"precision": "fp32"', '"precision": "bf16"'))
    assert main(["unpack", *out]) == 1 and "must share precision" in capsys.readouterr().err


@pytest.mark.usefixtures("scripts")
def test_range_and_mean_are_over_runs():
    from images_adaptation import adaptation_table, of_rows

    rows = [pd.Series({"epoch": 3, "alpha": a, "beta_1": a / 2, "w_a": 3 * a, "w_b": a}) for a in (0.2, 0.4)]
    values = of_rows(rows, ("a", "b"))
    assert values["mean_weight"] == pytest.approx([0.4, 0.8]) and values["relative_a"] == pytest.approx([1.5, 1.5])
    experiment = {
        "title": "S",
        "classes": ["a", "b"],
        "counts": {"a": 1, "b": 3},
        "adaptation": {"first": values, "last": values},
    }
    text = "\n".join(adaptation_table({"experiments": {"s": experiment}, "class_titles": ["A", "B"]}))
    assert (
        "| S | 3 | 0.30000 [0.20000, 0.40000] | 0.150 [0.100, 0.200] | 0.6 [0.4, 0.8] | 1.500 [1.500, 1.500] |" in text
    )
    assert "would give 1.500 and 0.500." in text


@pytest.mark.usefixtures("scripts")
def test_every_committed_table_is_the_text_of_its_numbers():
    from images_report import told

    held = {path.name: path for path in (SCRIPTS / "results").iterdir()}
    tables = [name for name, path in held.items() if path.suffix == ".md" and path.read_text().startswith("# COVID")]
    assert tables
    for name in tables:
        content = json.loads(held[name.replace(".md", ".json")].read_text())
        assert held[name].read_text() == told(content) and not content["packed_at_commit"].endswith("-dirty")


def test_the_readme_names_what_is_committed_and_nothing_else():
    readme = (SCRIPTS / "README.md").read_text()
    rows = [
        line
        for line in readme.splitlines()
        if line.startswith("| `") and readme.index(line) > readme.index("## What is")
    ]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert named == {path.name for path in (SCRIPTS / "results").iterdir()}


def test_what_was_altered_is_trained_again_and_other_packs_are_refused(place, capsys):
    from real_images import main

    packed(place, "--batch-size", "9")
    trained_here(place, place / "runs")
    history = place / "runs/dsn_saal/run-00/history.csv"
    whole, kept = history.read_bytes(), (place / "runs/vgg16_bn_ce/run-00/run.json").stat().st_mtime_ns
    history.write_bytes(whole[:-9])
    trained_here(place, place / "runs")
    assert history.read_bytes() == whole
    assert (place / "runs/vgg16_bn_ce/run-00/run.json").stat().st_mtime_ns == kept
    packed(place)  # another batch size
    out = ["--pack", str(place / "pack"), "--runs", str(place / "runs"), "--out", str(place / "table")]
    assert main(["unpack", *out]) == 1 and "recipe differs" in capsys.readouterr().err


def repacked(place, change):
    """Pack once more, after a change of the params."""
    params = place / "params.yaml"
    raw = yaml.safe_load(params.read_text())
    change(raw)
    params.write_text(yaml.safe_dump(raw, sort_keys=False))
    assert packed(place) == 0


@pytest.mark.parametrize(
    ("name", "change"),
    {
        "normalise": lambda raw: raw["network"].update(normalise="unit"),
        "prediction_batch": lambda raw: raw["evaluate"].update(batch_size=5),
        "classes": lambda raw: [
            block.update(healthy=block.pop("non_covid19"))
            for cohort in [raw["phantom"]["cohorts"]["covid_ct"]]
            for block in (raw["datasets"]["covid_ct"]["classes"], cohort["cases"], cohort["slices"])
        ],
    }.items(),
)
def test_whatever_a_run_reads_of_its_pack_makes_it_another_run(place, capsys, name, change):
    from real_images import main

    packed(place)
    trained_here(place, place / "runs")
    repacked(place, change)
    out = ["--pack", str(place / "pack"), "--runs", str(place / "runs"), "--out", str(place / "table")]
    assert main(["unpack", *out]) == 1 and f"{name} differs" in capsys.readouterr().err
    trained_here(place, place / "runs", minutes=0)
    assert "0 of 2 runs are finished; time is up" in capsys.readouterr().out
    trained_here(place, place / "runs")
    assert "2 of 2 runs are finished" in capsys.readouterr().out and main(["unpack", *out]) == 0


def test_what_memory_has_no_room_for_is_told_and_the_others_go_on(place, monkeypatch, capsys):
    import images_train
    from real_images import main

    packed(place)
    whole, arguments = images_train.train, ["--pack", str(place / "pack")]

    def short_of_memory(run, *rest, **more):
        if run.network.n_outputs > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        whole(run, *rest, **more)

    monkeypatch.setattr(images_train, "train", short_of_memory)
    assert main(["train", *arguments, "--out", str(place / "runs"), "--device", "cpu", "--runs", "2"]) == 1
    said = capsys.readouterr()
    assert said.out.count("too little free memory for a training step") == 1  # the second run would meet it too
    assert "value: batch size 8" in said.out and "halve batch_size of the regimen" in said.out
    assert "2 of 4 runs are finished" in said.out and "value: dsn_saal" in said.err
    failed = place / "runs/dsn_saal/run-00/failed.json"
    assert "batch size 8" in json.loads(failed.read_text())["failed"]
    unpack = ["unpack", *arguments, "--runs", str(place / "runs"), "--out", str(place / "table")]
    assert main(unpack) == 0
    assert "Not trained: dsn_saal: the device has too little free memory" in (place / "table.md").read_text()
    kept = failed.read_text()
    failed.write_text(kept.replace('"normalise": "imagenet_grey"', '"normalise": "unit"'))  # of another pack
    assert main(unpack) == 0 and "Not trained: dsn_saal: not tried yet." in (place / "table.md").read_text()
    failed.write_text(kept)

    monkeypatch.setattr(images_train, "train", whole)
    trained_here(place, place / "runs")
    assert "2 of 2 runs are finished" in capsys.readouterr().out and not failed.exists()


def test_bad_requests_and_altered_packs(place, capsys):
    from real_images import main

    assert packed(place, "--regimen", "none") == 2 and "no such regimen" in capsys.readouterr().err
    assert packed(place, "--regimen", "self_trans") == 2 and "by its last epoch alone" in capsys.readouterr().err
    assert packed(place, "--largest-mb", "0.001") == 1 and "larger than allowed" in capsys.readouterr().err
    assert packed(place, "--scale", "paper") == 1 and "size that the params say" in capsys.readouterr().err
    assert packed(place) == 0
    (place / "pack/slices.parquet").write_bytes(b"x")
    arguments = ["train", "--pack", str(place / "pack"), "--out", str(place / "runs")]
    assert main(arguments) == 1 and "missing or altered" in capsys.readouterr().err
    assert main([*arguments[:2], str(place), *arguments[3:]]) == 2 and "there is no pack" in capsys.readouterr().err
    params = place / "params.yaml"
    params.write_text(params.read_text().replace(f"- '{FINDING}'", "- 'article: other'"))
    assert packed(place) == 1 and "share what must be apart" in capsys.readouterr().err
