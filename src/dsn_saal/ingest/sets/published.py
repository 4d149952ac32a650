"""What was published about each public set: the numbers that a reader holds a copy against.

Counts of images by class, the class named as its files are marked. Sources stand beside them.
"""

from __future__ import annotations

COVIDX_CT = {
    "train": {"Normal": 27201, "CP": 22061, "NCP": 12520},
    "validation": {"Normal": 9107, "CP": 7400, "NCP": 4529},
    "test": {"Normal": 9450, "CP": 7395, "NCP": 4346},
}
"""COVIDx-CT, version 1, by list (lists of haydengunraj/COVIDNet-CT, splits/v1)."""

COVIDX_CT_3000 = {"Normal": 1000, "CP": 1000, "NCP": 1000}
"""The reduced training list of AlexTS1980/COVID-CT-Mask-Net."""

COVID_CT = {
    "train": {"CT_COVID": 191, "CT_NonCOVID": 234},
    "validation": {"CT_COVID": 60, "CT_NonCOVID": 58},
    "test": {"CT_COVID": 98, "CT_NonCOVID": 105},
}
"""COVID-CT of UCSD, by official list (arXiv:2003.13865); the paper calls it COVID19-CT."""

SARS_COV_2 = {"COVID": 1252, "non-COVID": 1229}
"""SARS-CoV-2 CT-scan as it was released; its paper says 1230 negatives."""

COVID_CT_MD = {"COVID-19 subjects": 169, "Cap subjects": 60, "Normal subjects": 76}
"""COVID-CT-MD: patients by class (doi:10.1038/s41597-021-00900-3)."""
