"""The boxes that are split next are those of a stable sort."""

import numpy as np

from dsn_saal.statistics.proof import smallest


def test_smallest_are_the_first_of_a_stable_sort():
    rng = np.random.default_rng(4)
    for size in (1, 7, 100, 3000):
        values = rng.integers(0, 40, size).astype(float)  # many equals, whose order decides what is found
        values[rng.random(size) < 0.1] = -np.inf
        values[rng.random(size) < 0.1] = np.inf
        for count in (1, 5, 64, size, size + 1):
            assert smallest(values, count).tolist() == np.argsort(values, kind="stable")[:count].tolist()
