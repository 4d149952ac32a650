"""Images resident on the device, and batches of them."""

from dsn_saal.data.augment import Augmentation
from dsn_saal.data.labels import class_counts, dealt_anew
from dsn_saal.data.meta_set import carve_meta_set
from dsn_saal.data.resident import NORMALISATIONS, ResidentImages, read_images

__all__ = [
    "NORMALISATIONS",
    "Augmentation",
    "ResidentImages",
    "carve_meta_set",
    "class_counts",
    "dealt_anew",
    "read_images",
]
