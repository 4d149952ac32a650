"""Makers and kernels: known names pass, everything else is not written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsn_saal.ingest.dicom.uids import uid_fault
from dsn_saal.ingest.dicom.vocabulary import kernel_kind, kernel_name, manufacturer_name
from dsn_saal.phantom.scanner import MODELS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""), (" \0", ""), ("SIEMENS", "SIEMENS"), ("Siemens Healthineers", "SIEMENS"),
        ("GE MEDICAL SYSTEMS", "GE MEDICAL SYSTEMS"), ("GE Healthcare", "GE MEDICAL SYSTEMS"),
        ("Philips Medical Systems", "PHILIPS"), ("TOSHIBA_MEC", "TOSHIBA"), ("Canon Medical Systems", "CANON"),
        ("UIH", "UIH"), ("Shanghai United Imaging Healthcare Co.", "UIH"), ("Neusoft Medical Systems", "NEUSOFT"),
        ("Hitachi, Ltd.", "HITACHI"), ("FUJI", "FUJIFILM"), ("Gerhard Philipson", "other"), ("Dr. Canary", "other"),
        ("山田", "other"), ("SIEMENS^CANARY", "SIEMENS"),
    ],
)  # fmt: skip
def test_makers(text, name):
    assert manufacturer_name(text) == name


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("", "", ""), ("B10f", "B10f", "soft"), ("B49s", "B49s", "soft"), ("B50f", "B50f", "lung"),
        ("B70s", "B70s", "lung"), ("D40s", "D40s", "soft"), ("I30f\\2", "I30f\\2", "soft"),
        ("I70f\\3", "I70f\\3", "lung"), ("Br36d\\3", "Br36d\\3", "soft"), ("Br64d", "Br64d", "lung"),
        ("Bl57d\\3", "Bl57d\\3", "lung"), ("Hr40f", "Hr40f", "soft"), ("Qr59", "Qr59", "lung"),
        ("U90u", "U90u", "lung"), ("STANDARD", "STANDARD", "soft"), ("Lung", "LUNG", "lung"),
        ("BONEPLUS", "BONEPLUS", "lung"), ("CHST", "CHST", "soft"), ("DETAIL", "DETAIL", ""),
        ("B", "B", "soft"), ("L", "L", "lung"), ("YA", "YA", "lung"), ("UB", "UB", ""), ("FC08", "FC08", "soft"),
        ("FC18-H", "FC18-H", "soft"), ("FC26", "FC26", ""), ("FC30", "FC30", "lung"), ("FC51", "FC51", "lung"),
        ("FC86", "FC86", "lung"), ("B_SOFT_B", "B_SOFT_B", "soft"), ("B_VSHARP_C", "B_VSHARP_C", "lung"),
        ("F20", "F20", "soft"), ("LUNG20", "LUNG20", "lung"),
        ("Canary", "other", ""), ("B4711", "other", ""), ("FC4711", "other", ""), ("19470911", "other", ""),
        ("SOFT Canary", "other", ""), ("B31f Canary", "other", ""), ("B31f\\Canary", "other", ""),
        ("B_CANARY_B", "other", ""), ("B31f\n", "other", ""), ("B３１f", "other", ""), ("FC٠٨", "other", ""),
    ],
)  # fmt: skip
def test_kernels(text, name, kind):
    assert kernel_name(text) == name
    assert kernel_kind(kernel_name(text)) == kind


def test_phantoms_keep_the_names_they_write():
    for models in MODELS.values():
        for model in models:
            assert manufacturer_name(model.manufacturer) == model.manufacturer
            for name, *_ in model.kernels:
                assert kernel_name(name) == name and kernel_kind(name)


@given(st.text(max_size=80))
def test_nothing_but_a_short_known_name_comes_out(text):
    assert manufacturer_name(text) in ("", "other") or any(letter.isalpha() for letter in text)
    name = kernel_name(text)
    assert name in ("", "other") or (len(name) <= 16 and name.isascii() and name.isprintable())
    assert kernel_name(name) == name, "a name that was written down is known when it is read again"


@pytest.mark.parametrize(
    ("uid", "fault"),
    [
        ("1.2.840.10008.1", ""), ("0", ""), ("1.0.3", ""), ("", "empty"), ("1.02.3", "leading zero"),
        ("1." + "2" * 62, ""), ("1." + "2" * 63, "too long"), ("7afb0d48-ec01-4941", "not digits and dots"),
        ("1..2", "not digits and dots"), ("1.2.", "not digits and dots"), ("1.2\n", "not digits and dots"),
        ("١.٢", "not digits and dots"),
    ],
)  # fmt: skip
def test_what_is_no_uid(uid, fault):
    assert uid_fault(uid) == fault
