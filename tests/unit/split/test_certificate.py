from dsn_saal.split.certificate import certify, level_verdict

PARTS = ["train", "train", "test", "test"]


def test_disjoint_parts_are_proven():
    assert level_verdict(["a", "b", "c", "d"], PARTS) == ("PROVEN", [])


def test_a_shared_key_is_named():
    assert level_verdict(["a", "b", "a", "d"], PARTS) == ("VIOLATED", ["a"])


def test_the_same_key_twice_in_one_part_is_no_violation():
    assert level_verdict(["a", "a", "d", "d"], PARTS) == ("PROVEN", [])


def test_missing_keys_prove_nothing_and_share_nothing():
    assert level_verdict(["", "b", "", "d"], PARTS) == ("UNPROVABLE", [])
    assert level_verdict(["", "b", "", "b"], PARTS) == ("VIOLATED", ["b"])


def test_the_whole_is_as_weak_as_its_weakest_level():
    fine, absent, shared = ["a", "b", "c", "d"], ["", "b", "c", "d"], ["a", "b", "a", "d"]
    labels = [0, 1, 0, 1]
    assert certify({"case": fine, "pixel": fine}, PARTS, labels)["verdict"] == "PROVEN"
    assert certify({"case": fine, "sop": absent, "pixel": fine}, PARTS, labels)["verdict"] == "UNPROVABLE"
    assert certify({"case": shared, "sop": absent, "pixel": fine}, PARTS, labels)["verdict"] == "VIOLATED"


def test_one_picture_with_two_labels_is_its_own_finding():
    pixels = ["a", "b", "c", "b"]
    assert certify({"pixel": pixels}, PARTS, [0, 1, 0, 0])["label_conflicts"] == ["b"]
    assert certify({"pixel": pixels}, PARTS, [0, 1, 0, 1])["label_conflicts"] == []
