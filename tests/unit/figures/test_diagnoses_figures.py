"""Figure 6 and the gallery of failures: which slices, and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures import diagnoses
from dsn_saal.figures.cell_choice import diagnosed, most_and_least, positions, worst
from dsn_saal.params.figure_jobs import figure_job
from dsn_saal.storage.tables import write_table

SLICES = pd.DataFrame(
    {"row": [5, 3, 9, 1, 7], "label": [0, 0, 0, 0, 1], "predicted": [1, 1, 1, 0, 1],
     "probability": [0.5, 0.9, 0.9, 0.6, 0.7]}
)  # fmt: skip


def rows(found):
    return [slice_["row"] for slice_ in found]


def test_the_most_and_the_least_confident_of_a_cell_and_the_worst_errors():
    assert rows(most_and_least(SLICES, 0, 1)) == [3, 5]  # of equals the lower row
    assert rows(most_and_least(SLICES, 0, 0)) == [1] and most_and_least(SLICES, 1, 0) == []
    assert rows(worst(SLICES, 0, 1, 2)) == [3, 9] and rows(worst(SLICES, 0, 1, 9)) == [3, 9, 5]
    assert rows(worst(SLICES.sample(frac=1, random_state=1), 0, 1, 9)) == [3, 9, 5]


def test_runs_speak_together_by_their_mean_probability():
    tables = [
        pd.DataFrame({"row": [4], "case": ["a"], "label": [0], "origin": "phantom", "p_x": [p], "p_y": [1 - p]})
        for p in (0.9, 0.2, 0.1)
    ]
    one = diagnosed(tables, ["x", "y"]).iloc[0]
    assert one["predicted"] == 1 and one["probability"] == pytest.approx(0.6)


def test_positions_are_thirds_of_the_stretch_from_base_to_apex():
    index = pd.DataFrame(
        {"row": range(7), "case": ["a"] * 4 + ["b", "", "c"], "z_mm": [-10.0, 0.0, 10.0, 20.0, 5.0, 5.0, np.nan]}
    )
    assert positions(index) == {0: "basal", 1: "middle", 2: "apical", 3: "apical", 4: "", 5: "", 6: ""}


class Drawn:
    def __init__(self, monkeypatch, fake, settings):
        self.fake, self.settings = fake, settings
        monkeypatch.setattr(diagnoses, "write_figure_files", lambda figure, out: setattr(self, "figure", figure))

    def draw(self, name, folder, tmp_path):
        job = figure_job(self.settings, name)
        function = diagnoses.draw_failures if name == "failures" else diagnoses.draw_diagnoses
        function(job, images=self.fake.images, predictions={job.experiment.name: folder}, out=tmp_path / "f")
        return job, self.figure


@pytest.fixture
def drawn(monkeypatch, cohort, small_settings):
    return Drawn(monkeypatch, cohort(cases=(8, 8, 8), test_cases=5), small_settings())


def mean_table(folder, classes):
    tables = [pd.read_parquet(folder / f"run-{run:02d}" / "predictions.parquet") for run in range(3)]
    return diagnosed(tables, classes)


def test_a_pair_of_panels_for_every_cell_with_its_probabilities(drawn, tmp_path):
    folder = drawn.fake.evaluate("dsn_saal", skill=0.5, settings=drawn.settings)
    job, figure = drawn.draw("figure6", folder, tmp_path)
    table = mean_table(folder, job.classes)
    for named, part in enumerate(figure.subfigs):
        assert part._suptitle.get_text() == f"predicted: {list(job.classes.values())[named]}"
        for true in range(3):
            cell = table[(table["label"] == true) & (table["predicted"] == named)]["probability"]
            pair = part.axes[2 * true : 2 * true + 2]
            told = [axis.get_title() for axis in pair if axis.get_title()]
            if len(cell) > 1:
                assert told == [f"most sure\np = {cell.max():.2f}", f"least sure\np = {cell.min():.2f}"]
            empty = [axis for axis in pair if axis.texts]
            assert len(empty) == 2 - min(2, len(cell)) and all(len(axis.images) == (axis not in empty) for axis in pair)


def test_a_cell_without_a_slice_says_so(drawn, tmp_path):
    folder = drawn.fake.evaluate("dsn_saal", skill=50, settings=drawn.settings)  # no error at all
    _, figure = drawn.draw("figure6", folder, tmp_path)
    told = [text.get_text() for part in figure.subfigs for axis in part.axes for text in axis.texts]
    assert told == ["no slice"] * 12
    _, figure = drawn.draw("failures", folder, tmp_path)
    assert {text.get_text() for part in figure.subfigs for axis in part.axes for text in axis.texts} == {"no slice"}
    assert figure.subfigs[0]._suptitle.get_text() == "COVID-19 taken for Normal: 0"


def test_the_gallery_tells_case_place_lungs_and_flags(drawn, tmp_path):
    write_table(drawn.fake.index_path, drawn.fake.index.assign(touches_border=True))
    folder = drawn.fake.evaluate("dsn_saal", skill=0.0, settings=drawn.settings)
    job, figure = drawn.draw("failures", folder, tmp_path)
    table, index = mean_table(folder, job.classes), drawn.fake.index.set_index("row")
    first = worst(table, 0, 1, 1)[0]
    lines = figure.subfigs[0].axes[0].get_title().split("\n")
    assert lines[0].startswith(f"p = {first['probability']:.2f}, ") and lines[1] == first["case"][:8]
    assert lines[2] == f"lungs {100 * index.loc[first['row'], 'lung_share']:.0f} %, cut by the border"


def test_where_every_run_diverged_nothing_is_made_up(drawn, tmp_path):
    folder = drawn.fake.evaluate("dsn_saal", settings=drawn.settings, failed=(0, 1, 2))
    _, figure = drawn.draw("figure6", folder, tmp_path)
    told = {text.get_text() for part in figure.subfigs for axis in part.axes for text in axis.texts}
    assert told == {"every run\ndiverged"}


def test_files_that_do_not_belong_together_are_refused(drawn, tmp_path):
    folder = drawn.fake.evaluate("dsn_saal", settings=drawn.settings)
    job = figure_job(drawn.settings, "figure6")
    with pytest.raises(BadRequest, match="missing: dsn_saal; not wanted: other"):
        diagnoses.draw_diagnoses(job, images=drawn.fake.images, predictions={"other": folder}, out=tmp_path / "f")
    np.save(drawn.fake.images / "masks.npy", np.load(drawn.fake.images / "masks.npy")[1:])
    with pytest.raises(CheckFailed, match="belong together"):
        drawn.draw("figure6", folder, tmp_path)
