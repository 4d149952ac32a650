"""Images resident on the device, batches of them, and what a network answers to them."""

from dsn_saal.data.augment import Augmentation
from dsn_saal.data.labels import class_counts, dealt_anew
from dsn_saal.data.meta_set import carve_meta_set
from dsn_saal.data.resident import NORMALISATIONS, ResidentImages, open_images, read_images
from dsn_saal.data.validation import Carved, carve

__all__ = [
    "NORMALISATIONS",
    "Augmentation",
    "Carved",
    "ResidentImages",
    "carve",
    "carve_meta_set",
    "class_counts",
    "dealt_anew",
    "open_images",
    "read_images",
]
