"""Figure 7: maps over the slices that a rule chose, with their shares."""

import json

import numpy as np
import pandas as pd
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures import cams
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.storage.tables import write_table


def write_cam(folder, experiment, fake, missing=None):
    test = fake.index[fake.parts == "test"][["row", "case", "label"]].iloc[: None if missing is None else 0]
    n, generator = len(test), np.random.default_rng(len(experiment))
    folder.mkdir(parents=True)
    maps = generator.random((n, 2, 2)).astype(np.float32)
    table = test.assign(predicted=np.int8(1), probability=0.75, target=np.int8(1), share=generator.random(n), lung=0.2)
    np.save(folder / "maps.npy", maps)
    write_table(folder / "slices.parquet", table)
    (folder / "cam.json").write_text(json.dumps({"experiment": experiment, "missing_because": missing}))
    return folder


@pytest.fixture
def held(cohort, small_settings, tmp_path):
    fake, job = cohort(cases=(4, 5, 2), test_cases=2), figure_job(small_settings(), "figure7")
    return fake, job, {row.name: write_cam(tmp_path / row.name, row.name, fake) for row in job.rows}


def draw(monkeypatch, held, tmp_path):
    drawn = []
    monkeypatch.setattr(cams, "write_figure_files", lambda figure, out: drawn.append(figure))
    cams.draw_figure(held[1], images=held[0].images, cams=held[2], out=tmp_path / "f")
    return np.array(drawn[0].axes).reshape(3, 6)


def test_two_columns_a_class_with_the_map_and_the_share_of_that_slice(held, monkeypatch, tmp_path):
    fake, job, folders = held
    axes = draw(monkeypatch, held, tmp_path)
    test = fake.index[fake.parts == "test"].sort_values(["case", "lung_share", "row"], ascending=[True, False, True])
    for label in range(3):
        shown = test[test["label"] == label].drop_duplicates("case")["row"].tolist()[:2]
        for place, row in enumerate(shown):
            column = axes[:, 2 * label + place]
            np.testing.assert_array_equal(column[0].images[0].get_array(), np.load(fake.images / "images.npy")[row])
            for axis, method in zip(column[1:], job.rows, strict=True):
                table = pd.read_parquet(folders[method.name] / "slices.parquet")
                at = table.index[table["row"] == row][0]
                map_ = np.load(folders[method.name] / "maps.npy")[at].astype(float)
                np.testing.assert_allclose(axis.images[1].get_array(), map_ / map_.max())
                assert axis.get_xlabel() == f"Normal, 0.75\n{100 * table.loc[at, 'share']:.0f} % in the lungs"


def test_a_map_of_zeros_and_an_experiment_without_weights_say_so(held, monkeypatch, tmp_path):
    fake, _, folders = held
    np.save(folders["vgg16_bn_ce"] / "maps.npy", 0 * np.load(folders["vgg16_bn_ce"] / "maps.npy"))
    folders["dsn_saal"] = write_cam(tmp_path / "none", "dsn_saal", fake, missing="no weights were kept")
    axes = draw(monkeypatch, held, tmp_path)
    assert axes[1, 0].get_xlabel().endswith("map is zero") and len(axes[1, 0].images) == 1
    assert [axis.texts[0].get_text() for axis in axes[2]] == ["no weights were kept"] * 6


def test_the_same_bytes_twice_and_fewer_cases_leave_panels_that_say_so(held, monkeypatch, tmp_path):
    fake, job, folders = held
    for name in ("a", "b"):
        cams.draw_figure(job, images=fake.images, cams=folders, out=tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    more = job.model_copy(update={"cases_per_class": 3})
    cams.draw_figure(more, images=fake.images, cams=folders, out=tmp_path / "c")
    assert (tmp_path / "c.png").read_bytes() != (tmp_path / "a.png").read_bytes()


def test_foreign_damaged_and_missing_maps_are_refused(held, tmp_path):
    fake, job, folders = held
    swapped = dict(zip(folders, reversed(list(folders.values())), strict=True))
    with pytest.raises(CheckFailed, match="not the maps of"):
        cams.draw_figure(job, images=fake.images, cams=swapped, out=tmp_path / "f")
    np.save(folders["dsn_saal"] / "maps.npy", np.load(folders["dsn_saal"] / "maps.npy")[1:])
    with pytest.raises(CheckFailed, match="not the maps of dsn_saal"):
        cams.draw_figure(job, images=fake.images, cams=folders, out=tmp_path / "f")
    (folders["vgg16_bn_ce"] / "cam.json").unlink()
    with pytest.raises(BadRequest, match="no maps"):
        cams.draw_figure(job, images=fake.images, cams=folders, out=tmp_path / "f")
    folders.pop("dsn_saal")
    with pytest.raises(BadRequest, match="missing: dsn_saal\n  where: --cam"):
        cams.draw_figure(job, images=fake.images, cams=folders, out=tmp_path / "f")
