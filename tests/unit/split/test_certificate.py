"""What a certificate proves, names, and cannot know."""

import numpy as np
import pytest

from dsn_saal.split.certificate import MOST_LISTED, certify, refused

PARTS = ["train", "train", "test", "test"]
FINE, ABSENT, SHARED = ["a", "b", "c", "d"], ["", "b", "c", "d"], ["a", "b", "a", "d"]
NAMES = ["p/0.png", "p/1.png", "q/2.png", "q/3.png"]


def certificate(near=(), parts=(PARTS,), labels=(0, 1, 0, 1), names=NAMES, **levels):
    every = {"case": FINE, "file": FINE, "pixel": FINE} | levels
    return certify(every, list(near), [list(draw) for draw in parts], labels=list(labels), names=names)


def test_disjoint_parts_are_proven_and_say_by_which_rule():
    proven = certificate(study=FINE)
    assert proven["verdict"] == "PROVEN" and "near-duplicate" in proven["rule"] and proven["draws"] == 1
    assert {entry["verdict"] for entry in proven["levels"].values()} == {"PROVEN"}
    assert set(proven["levels"]) == {"case", "file", "pixel", "study", "near_duplicate"}


def test_a_shared_id_is_named_with_its_slices_and_labels():
    level = certificate(case=SHARED)["levels"]["case"]
    assert (level["verdict"], level["found"]) == ("VIOLATED", 1)
    assert level["findings"] == [
        {"name": "case: a", "members": ["p/0.png", "q/2.png"], "members_total": 2, "labels": [0], "draws": [0]}
    ]


def test_shared_pixels_are_named_by_their_files():
    found = certificate(pixel=SHARED)["levels"]["pixel"]["findings"]
    assert [finding["name"] for finding in found] == ["pixel: p/0.png = q/2.png"]


def test_the_same_key_twice_in_one_part_is_no_violation():
    assert certificate(case=["a", "a", "d", "d"])["verdict"] == "PROVEN"


@pytest.mark.parametrize(("absent", "whole"), [("study", "PROVEN"), ("sop", "PROVEN"), ("case", "UNPROVABLE")])
def test_missing_ids_hide_nothing_only_below_a_proven_case(absent, whole):
    proven = certificate(**{absent: ABSENT})
    assert proven["levels"][absent]["verdict"] == "UNPROVABLE" and proven["levels"][absent]["missing"] == 1
    assert proven["verdict"] == whole
    assert certificate(**{absent: ["", "b", "", "b"]})["verdict"] == "VIOLATED"


def test_every_two_parts_are_held_apart_and_unused_slices_may_share():
    for parts in (["train", "validation", "train", "test"], ["validation", "train", "test", "test"]):
        expected = "VIOLATED" if parts[0] != parts[2] else "PROVEN"
        assert certificate(case=SHARED, parts=[parts])["verdict"] == expected
    assert certificate(case=SHARED, parts=[["unused", "train", "test", "test"]])["verdict"] == "PROVEN"


def test_a_finding_says_in_which_draws_it_is():
    folds = [
        ["test", "train", "train", "train"],
        ["train", "test", "train", "train"],
        ["train", "train", "test", "train"],
    ]
    level = certificate(case=SHARED, parts=folds)["levels"]["case"]
    assert level["findings"][0]["draws"] == [0, 2]


def test_near_duplicates_across_parts_violate_and_within_one_do_not():
    across, within = (0, 3, 0.991234), (0, 1, 0.99)
    level = certificate(near=[across, within])["levels"]["near_duplicate"]
    assert level["found"] == 1
    assert level["findings"][0]["name"] == "near_duplicate: p/0.png = q/3.png"
    assert (level["findings"][0]["correlation"], level["findings"][0]["labels"]) == (0.9912, [0, 1])
    assert certificate(near=[within])["verdict"] == "PROVEN"


def test_one_picture_with_two_labels_is_its_own_finding_wherever_it_lies():
    same = certificate(pixel=["a", "b", "c", "b"], labels=[0, 1, 0, 0])
    assert [finding["name"] for finding in same["label_conflicts"]] == ["same pixels: p/1.png = q/3.png"]
    near = certificate(near=[(0, 1, 0.98), (0, 2, 0.98)])
    assert [finding["name"] for finding in near["label_conflicts"]] == ["near_duplicate: p/0.png = p/1.png"]
    assert near["label_conflicts_total"] == 1 and certificate()["label_conflicts"] == []


def test_many_findings_are_all_counted_and_not_all_listed():
    n = 2 * MOST_LISTED
    keys = [f"{at % (n // 2):04d}" for at in range(n)]
    parts = ["train"] * (n // 2) + ["test"] * (n // 2)
    level = certify(
        {"case": keys, "file": keys, "pixel": keys}, [], [parts], labels=[0] * n, names=[str(at) for at in range(n)]
    )["levels"]["case"]
    assert level["found"] == n // 2 == MOST_LISTED and len(level["findings"]) == MOST_LISTED
    twice = certify(
        {"case": [*keys, *[f"x{key}" for key in keys]], "pixel": [""] * 2 * n}, [], [parts + parts],
        labels=[0] * 2 * n, names=[str(at) for at in range(2 * n)],
    )["levels"]["case"]  # fmt: skip
    assert twice["found"] == n and len(twice["findings"]) == MOST_LISTED


def test_the_order_of_the_rows_changes_nothing():
    order = np.random.default_rng(0).permutation(4)
    place = {int(old): new for new, old in enumerate(order)}
    near, moved = [(0, 3, 0.99)], [(*sorted((place[0], place[3])), 0.99)]
    pick = lambda values: [values[at] for at in order]  # noqa: E731
    one = certificate(near=near, case=SHARED)
    other = certificate(
        near=moved, parts=[pick(PARTS)], labels=pick([0, 1, 0, 1]), names=pick(NAMES), case=pick(SHARED),
        file=pick(FINE), pixel=pick(FINE),
    )  # fmt: skip
    for level, entry in one["levels"].items():
        assert [finding["name"] for finding in entry["findings"]] == [
            finding["name"] for finding in other["levels"][level]["findings"]
        ]


def test_what_is_left_when_findings_and_whole_levels_are_accepted():
    levels = certificate(case=SHARED, file=["a", "b", "a", "b"])["levels"]
    files = ["file: p/0.png = q/2.png", "file: p/1.png = q/3.png"]
    assert refused(levels, []) == {"case": ["case: a"], "file": files}
    assert refused(levels, ["case: a", files[1]]) == {"file": files[:1]}
    assert refused(levels, ["case", *files]) == {} == refused(certificate()["levels"], [])
    levels["file"]["found"] = 3  # more than are listed
    assert refused(levels, ["case", *files]) == {"file": []} and refused(levels, ["case", "file"]) == {}
