"""The contact sheet: which slices, what is said of them, and what is drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.figures.contact_sheet import FLAGGED, choose_panels, draw_figure
from dsn_saal.params.figure_jobs import ContactSheetJob
from dsn_saal.storage.tables import write_table

CLASSES = {"covid19": "COVID-19", "normal": "Normal", "bacterial_pneumonia": "Bacterial pneumonia"}
JOB = ContactSheetJob(title="Some set", classes=CLASSES, cut_out=True)


def index_of(cases_per_class, slices_per_case):
    """Slices of every case from below upwards; most lung in the middle, no flags."""
    rows = [
        (f"{label}{case}" * 8, label, name, float(z), 0.3 - 0.01 * abs(z - slices_per_case / 2), 0.01 * z)
        for label, (name, cases) in enumerate(zip(CLASSES, cases_per_class, strict=True))
        for case in range(cases)
        for z in range(slices_per_case)
    ]
    table = pd.DataFrame(rows, columns=["case", "label", "class_name", "z_mm", "lung_share", "asymmetry"])
    table.insert(0, "row", np.arange(len(table), dtype=np.int32))
    return table.assign(number=-1, origin="phantom", empty=False, touches_border=False)


def test_classes_take_turns_and_in_a_class_the_cases_do():
    index = index_of((2, 9, 4), 11)
    shown = index.loc[[row for row, _ in choose_panels(index, 30, flagged=False)]]
    assert len(shown) == shown["row"].nunique() == 30
    assert shown["label"].value_counts().to_dict() == {0: 10, 1: 10, 2: 10}
    per_case = shown.groupby("label")["case"].value_counts().groupby("label")
    assert (per_case.max() - per_case.min()).max() <= 1
    assert shown.groupby("label")["case"].nunique().to_dict() == {0: 2, 1: 9, 2: 4}


def test_a_case_is_shown_from_its_middle_to_its_ends():
    levels = index_of((1, 1, 1), 11)["z_mm"][
        [row for row, _ in choose_panels(index_of((1, 1, 1), 11), 9, flagged=False)]
    ]
    assert sorted(set(levels)) == [1.0, 5.0, 9.0]


def test_every_kind_of_flag_is_there_and_no_slice_is_twice():
    index = index_of((4, 4, 4), 11)
    index.loc[[7, 20, 30], "empty"] = True
    index.loc[[50, 60], "touches_border"] = True
    panels = choose_panels(index, 40, flagged=True)
    by_kind = {kind: [row for row, why in panels if why == kind] for kind in {why for _, why in panels}}
    assert len(panels) == len({row for row, _ in panels}) == 40
    assert {kind: len(rows) for kind, rows in by_kind.items() if kind} == dict.fromkeys(
        ("empty", "border", "smallest", "asymmetric"), FLAGGED
    )
    assert by_kind["border"] == [50, 60] and set(by_kind["empty"]) < {7, 20, 30}
    held = index[~index["empty"]]
    assert index["lung_share"][by_kind["smallest"]].tolist() == sorted(held["lung_share"])[:FLAGGED]
    assert index["asymmetry"][by_kind["asymmetric"]].min() == 0.1


def test_the_choice_does_not_depend_on_the_order_of_the_rows():
    index = index_of((3, 5, 2), 7)
    index.loc[3, "empty"] = True
    assert choose_panels(index.sample(frac=1, random_state=4), 24, flagged=True) == choose_panels(
        index, 24, flagged=True
    )


def test_a_small_set_is_shown_whole():
    index = index_of((1, 1, 1), 2)
    assert sorted(row for row, _ in choose_panels(index, 40, flagged=True)) == list(range(6))


class Sheet:
    """Images, masks and index of a set below `folder`, and the sheet drawn of them."""

    def __init__(self, folder, *, cut_out=True, origin="phantom", side=32):
        self.folder, self.job = folder, JOB.model_copy(update={"cut_out": cut_out})
        self.index = index_of((2, 3, 2), 8).assign(origin=origin)
        self.index.loc[5, ["empty"]] = True
        y, x = np.mgrid[:side, :side]
        mask = (x - 16) ** 2 + (y - 16) ** 2 < 80 if cut_out else np.ones((side, side), bool)
        masks = np.repeat(mask[None], len(self.index), axis=0)
        masks[5] &= not cut_out
        folder.mkdir()
        np.save(folder / "images.npy", np.random.default_rng(3).integers(0, 90, masks.shape).astype(np.uint8))
        np.save(folder / "masks.npy", np.packbits(masks.reshape(len(masks), -1), axis=1))
        write_table(folder / "index.parquet", self.index)

    def draw(self, name="sheet"):
        out = self.folder / name
        draw_figure(self.job, images=self.folder, out=out)
        return out.with_suffix(".svg").read_text(), imread(out.with_suffix(".png"))[..., :3]


def pixels_like(picture, colour):
    return int((np.abs(picture - np.array(colour) / 255).max(axis=-1) < 0.06).sum())


ORANGE, RED = (0xE6, 0x9F, 0x00), (0xB0, 0x00, 0x20)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    """Phantoms with lungs cut out: the set, the SVG's text, the picture."""
    sheet = Sheet(tmp_path_factory.mktemp("sheets") / "phantoms")
    return sheet, *sheet.draw()


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """Patients' pictures that nothing is cut out of."""
    sheet = Sheet(tmp_path_factory.mktemp("sheets") / "patients", cut_out=False, origin="clinical")
    return sheet, *sheet.draw()


def test_masks_are_outlined_where_lungs_are_cut_out_only(phantoms, patients):
    assert pixels_like(phantoms[2], ORANGE) > 2000
    assert pixels_like(patients[2], ORANGE) == 0


def test_phantoms_are_marked_and_patients_are_not(phantoms, patients):
    assert pixels_like(phantoms[2], RED) > 500
    assert pixels_like(patients[2], RED) == 0


def test_captions_hold_class_flags_and_the_beginning_of_the_hash(phantoms, patients):
    sheet, words, _ = phantoms  # matplotlib repeats every text in a comment beside its glyphs
    assert "Some set: 40 of 56 slices" in words and "no lungs" in words and "least lung" in words
    for case in sheet.index["case"].unique():
        assert case[:6] in words and case not in words
    assert "nothing is cut out" in patients[1] and "least lung" not in patients[1]


def test_twice_the_same_bytes(phantoms):
    sheet, words, _ = phantoms
    assert sheet.draw("again")[0] == words and "dc:date" not in words
    assert (sheet.folder / "sheet.png").read_bytes() == (sheet.folder / "again.png").read_bytes()


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    sheet = Sheet(tmp_path / "a")
    np.save(sheet.folder / "masks.npy", np.load(sheet.folder / "masks.npy")[1:])
    with pytest.raises(CheckFailed, match="belong together"):
        sheet.draw()
    (sheet.folder / "images.npy").unlink()
    with pytest.raises(BadRequest, match="no such file"):
        sheet.draw()
    assert not list(sheet.folder.glob("sheet*"))
