import hashlib
import http.client
import io
import urllib.error
from pathlib import Path

import pytest
import torch

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models import build_network
from dsn_saal.models import pretrained as module
from dsn_saal.models.pretrained import IMAGENET, WeightsFile, grey_kernels, load_imagenet, require_weights


def write_file(folder, state, name="tiny"):
    """A file of weights whose name carries the start of its SHA-256, as the published ones do."""
    stream = io.BytesIO()
    torch.save(state, stream)
    wanted = WeightsFile(f"file:///nowhere/{name}-{hashlib.sha256(stream.getvalue()).hexdigest()[:8]}.pth")
    (folder / wanted.name).write_bytes(stream.getvalue())
    return wanted


class Narrow:
    """A network with the published grid and names but few channels, so that the test's file stays small."""

    def __init__(self, conv1, n_classes=3):
        self.options = {
            "side": None,
            "n_classes": n_classes,
            "image_size": 224,
            "width": 0.01,
            "conv1": conv1,
            "dropout": 0.0,
            "generator": torch.Generator().manual_seed(n_classes),
        }

    def build(self):
        return build_network("vgg16_bn", **self.options)


@pytest.mark.parametrize("conv1", ["sum", "mean", "repeat", "random"])
def test_weights_fill_every_layer_but_the_last(tmp_path, conv1):
    published = Narrow("repeat", n_classes=10).build().state_dict()
    wanted = write_file(tmp_path, published)
    net = Narrow(conv1).build()
    own = {name: value.clone() for name, value in net.state_dict().items()}
    load_imagenet(net, width=1.0, conv1=conv1, wanted=wanted, folder=tmp_path)
    loaded = net.state_dict()
    for name, value in loaded.items():
        if name.startswith("classifier.6.") or (name == "features.0.weight" and conv1 == "random"):
            assert torch.equal(value, own[name])
        elif name == "features.0.weight":
            assert torch.equal(value, grey_kernels(published[name], conv1))
        else:
            assert torch.equal(value, published[name])


def test_summed_kernels_are_the_grey_image_fed_three_times():
    generator = torch.Generator().manual_seed(0)
    kernels = torch.randn(4, 3, 3, 3, dtype=torch.float64, generator=generator)
    image = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=generator)
    thrice = torch.conv2d(image.expand(-1, 3, -1, -1), kernels)
    torch.testing.assert_close(torch.conv2d(image, grey_kernels(kernels, "sum")), thrice, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(torch.conv2d(image, 3 * grey_kernels(kernels, "mean")), thrice, rtol=1e-12, atol=1e-13)


def test_altered_file_is_refused_with_both_hashes(tmp_path):
    wanted = write_file(tmp_path, {"a": torch.zeros(1)})
    with (tmp_path / wanted.name).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(CheckFailed, match="another SHA-256"):
        require_weights(wanted, tmp_path)


@pytest.mark.parametrize("failure", [urllib.error.URLError("no network"), http.client.IncompleteRead(b"half")])
def test_missing_file_without_network_says_what_to_put_where(tmp_path, monkeypatch, failure):
    def offline(*args, **kwargs):
        raise failure

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setenv(module.FOLDER_VARIABLE, str(tmp_path / "weights"))
    with pytest.raises(BadRequest) as caught:
        require_weights(IMAGENET["vgg16_bn"], module.weights_folder())
    text = caught.value.text()
    assert "vgg16_bn-6c64b313.pth" in text and "6c64b313" in text and str(tmp_path / "weights") in text
    assert module.FOLDER_VARIABLE in text and list((tmp_path / "weights").iterdir()) == []


def test_missing_file_is_fetched_and_checked(tmp_path, monkeypatch):
    wanted = write_file(tmp_path, {"a": torch.zeros(1)})
    content = (tmp_path / wanted.name).read_bytes()

    def fetch(url, target, hash_prefix, progress):
        assert (url, hash_prefix) == (wanted.url, wanted.sha256_prefix)
        Path(target).write_bytes(content)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    assert require_weights(wanted, tmp_path / "cache").read_bytes() == content


@pytest.mark.parametrize("width, size", [(0.5, 224), (1.0, 64)])
def test_other_shapes_than_the_published_are_refused(width, size):
    net = build_network("vgg16_bn", side=None, n_classes=3, image_size=size, width=0.01, conv1="sum", dropout=0.0)
    with pytest.raises(BadRequest, match="published network only"):
        load_imagenet(net, width=width, conv1="sum", wanted=IMAGENET["vgg16_bn"])


def test_file_of_another_network_is_refused(tmp_path):
    state = Narrow("repeat").build().state_dict()
    del state["features.3.weight"]
    wanted = write_file(tmp_path, state)
    with pytest.raises(CheckFailed, match=r"(?s)lacks layers.*features\.3\.weight"):
        load_imagenet(Narrow("sum").build(), width=1.0, conv1="sum", wanted=wanted, folder=tmp_path)
