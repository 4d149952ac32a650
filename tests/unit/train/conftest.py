"""Places of tiny experiments."""

import pytest
import torch
from tiny_experiment import Place, settings


@pytest.fixture
def place(tmp_path):
    """Makes places, by name."""
    made = {}

    def make(name="one"):
        if name not in made:
            made[name] = Place(tmp_path / name)
        return made[name]

    return make


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    """Results of unbroken jobs, trained once for all tests that compare with them."""
    known = {}

    def results(**change):
        key = settings(**change)
        if key not in known:
            known[key] = Place(tmp_path_factory.mktemp("unbroken") / "place").train(**change)
        return known[key]

    return results


@pytest.fixture(autouse=True)
def threads_come_back():
    """A job sets the number of threads of the whole process."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
