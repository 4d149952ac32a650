"""Figure 3: which slices, and what is drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures.samples import choose_samples, draw_figure
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.storage.tables import write_table


def draw(fake, settings, out):
    draw_figure(figure_job(settings, "figure3"), images=fake.images, out=out)
    return out.with_suffix(".svg").read_bytes(), out.with_suffix(".png").read_bytes()


def test_the_slice_with_most_lung_of_the_first_cases():
    index = pd.DataFrame(
        {"row": [0, 1, 2, 3, 4, 5], "case": ["b", "b", "a", "a", "c", "d"], "label": [0, 0, 0, 0, 0, 1],
         "lung_share": [0.1, 0.3, 0.2, 0.2, 0.9, 0.5]}
    )  # fmt: skip
    assert choose_samples(index, 0, 2) == [2, 1]
    assert choose_samples(index, 0, 9) == [2, 1, 4]
    assert choose_samples(index.sample(frac=1, random_state=3), 0, 2) == [2, 1]


def test_twice_the_same_bytes_and_no_date(cohort, small_settings, tmp_path):
    fake, settings = cohort(), small_settings()
    first, again = draw(fake, settings, tmp_path / "a"), draw(fake, settings, tmp_path / "b")
    assert first == again
    assert b"dc:date" not in first[0] and b"tEXtSoftware" not in first[1]


def test_the_picture_follows_the_pixels(cohort, small_settings, tmp_path):
    fake, settings = cohort(), small_settings()
    before = draw(fake, settings, tmp_path / "a")
    pixels = np.load(fake.images / "images.npy")
    shown = choose_samples(fake.index, 0, 1)[0]
    pixels[shown] = 255 - pixels[shown]
    np.save(fake.images / "images.npy", pixels)
    assert draw(fake, settings, tmp_path / "b") != before


def red_pixels(path):
    picture = imread(path)[..., :3]
    return int(((picture[..., 0] > 0.6) & (picture[..., 1] < 0.2) & (picture[..., 2] < 0.3)).sum())


def test_phantoms_are_marked_in_the_picture_and_patients_are_not(cohort, small_settings, tmp_path):
    draw(cohort(), small_settings(), tmp_path / "phantom")
    draw(cohort("other", origin="clinical"), small_settings(), tmp_path / "clinical")
    assert red_pixels(tmp_path / "phantom.png") > 500 and red_pixels(tmp_path / "clinical.png") == 0


def test_a_class_with_fewer_cases_leaves_panels_empty(cohort, small_settings, tmp_path):
    draw(cohort(cases=(4, 5, 1), test_cases=1), small_settings(report__figure3_cases_per_class=3), tmp_path / "f")
    assert (tmp_path / "f.png").is_file()


def test_a_class_without_slices_is_refused(cohort, small_settings, tmp_path):
    fake = cohort()
    write_table(fake.index_path, fake.index.assign(label=fake.index["label"].clip(upper=1)))
    with pytest.raises(CheckFailed, match="no slice to show"):
        draw(fake, small_settings(), tmp_path / "f")
    assert not list(tmp_path.glob("f*"))


def test_images_that_do_not_fit_the_index_are_refused(cohort, small_settings, tmp_path):
    fake = cohort()
    np.save(fake.images / "masks.npy", np.load(fake.images / "masks.npy")[1:])
    with pytest.raises(CheckFailed, match="belong together"):
        draw(fake, small_settings(), tmp_path / "f")
    (fake.images / "masks.npy").unlink()
    with pytest.raises(BadRequest, match="no such file"):
        draw(fake, small_settings(), tmp_path / "f")
