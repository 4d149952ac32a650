import pytest
import torch
from torch import nn

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models import read_weights, write_weights


def small(channels=4):
    return nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels))


def test_bytes_do_not_depend_on_the_memory_layout_and_values_come_back(tmp_path):
    net = small()
    write_weights(tmp_path / "a.safetensors", net)
    write_weights(tmp_path / "b.safetensors", net.to(memory_format=torch.channels_last))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    other = small()
    read_weights(tmp_path / "a.safetensors", other)
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))


def test_missing_damaged_and_foreign_files_are_named(tmp_path):
    with pytest.raises(BadRequest, match="no weights"):
        read_weights(tmp_path / "none.safetensors", small())
    write_weights(tmp_path / "a.safetensors", small())
    with pytest.raises(CheckFailed, match="do not fit"):
        read_weights(tmp_path / "a.safetensors", small(5))
    (tmp_path / "a.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:40])
    with pytest.raises(CheckFailed, match="do not fit"):
        read_weights(tmp_path / "a.safetensors", small())
