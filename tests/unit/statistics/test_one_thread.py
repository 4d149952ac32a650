"""Work that must not follow the number of cores runs on one thread of every matrix library."""

from threadpoolctl import threadpool_info, threadpool_limits

from dsn_saal.statistics.one_thread import one_thread


def threads():
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_every_matrix_library_has_one_thread_inside_and_its_own_number_afterwards():
    import scipy.optimize  # noqa: F401

    with threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        with one_thread():
            inside = threads()
        after = threads()
    assert before and set(before.values()) == {2}
    assert inside.keys() == before.keys() and set(inside.values()) == {1}
    assert after == before
