"""One loss per file: plain numbers in, tensors through."""

from dsn_saal.losses.affinity import MaxMarginAffinity
from dsn_saal.losses.binary import BinaryCrossEntropy
from dsn_saal.losses.center import CenterCrossEntropy
from dsn_saal.losses.cross_entropy import CrossEntropy
from dsn_saal.losses.margin import MarginCrossEntropy
from dsn_saal.losses.objective import Loss, total
from dsn_saal.losses.saal import Saal, class_weights
from dsn_saal.losses.symmetric import SymmetricCrossEntropy

__all__ = [
    "BinaryCrossEntropy",
    "CenterCrossEntropy",
    "CrossEntropy",
    "Loss",
    "MarginCrossEntropy",
    "MaxMarginAffinity",
    "Saal",
    "SymmetricCrossEntropy",
    "class_weights",
    "total",
]
