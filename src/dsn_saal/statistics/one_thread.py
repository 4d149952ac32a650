"""Matrix libraries held to one thread: several add in another order, and the last digits would follow the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """NumPy's and SciPy's matrix libraries run on one thread inside, on as many as before afterwards."""
    import scipy.optimize  # noqa: F401  SciPy brings a library of its own, whose threads can be set once it is loaded

    with threadpool_limits(limits=1, user_api="blas"):
        yield
