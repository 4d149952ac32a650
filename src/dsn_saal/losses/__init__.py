"""One loss per file: plain numbers in, tensors through."""

from dsn_saal.losses.cross_entropy import CrossEntropy
from dsn_saal.losses.objective import Loss, total
from dsn_saal.losses.saal import Saal, class_weights

__all__ = ["CrossEntropy", "Loss", "Saal", "class_weights", "total"]
