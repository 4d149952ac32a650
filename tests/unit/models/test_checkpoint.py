"""A CheXNet checkpoint as it is passed around: old names, a classifier of fourteen findings, an optimizer beside it."""

import hashlib
import re

import pytest
import torch

from dsn_saal.domain.errors import BadRequest, CheckFailed
from dsn_saal.models import build_network

OLD = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))([12])")


def densenet(n_classes=3, conv1="sum", seed=0, **change):
    options = {"image_size": 64, "width": 1.0, "dropout": 0.0, "side": None} | change
    generator = torch.Generator().manual_seed(seed)
    return build_network("densenet121", n_classes=n_classes, conv1=conv1, generator=generator, **options)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def published():
    """The state of a DenseNet-121 with colours and fourteen findings, by today's names."""
    return densenet(14, "repeat", seed=7).state_dict()


def chexnet_state(published):
    """The same as the file names it; torch did not count batches then."""
    old = {OLD.sub(r"\1.\2", name): value for name, value in published.items() if "num_batches" not in name}
    renamed = {name.replace("classifier.", "classifier.0."): value for name, value in old.items()}
    return {f"module.densenet121.{name}": value for name, value in renamed.items()}


@pytest.fixture(scope="module")
def file(tmp_path_factory, published):
    path = tmp_path_factory.mktemp("chexnet") / "model.pth.tar"
    torch.save({"epoch": 20, "best_loss": 0.15, "state_dict": chexnet_state(published), "optimizer": {}}, path)
    assert "module.densenet121.features.denseblock1.denselayer1.norm.1.weight" in chexnet_state(published)
    return path


@pytest.mark.parametrize("conv1", ["sum", "repeat"])
def test_every_layer_but_the_last_starts_from_the_file(file, published, conv1):
    own = densenet(conv1=conv1).state_dict()
    found = densenet(conv1=conv1, checkpoint={"path": str(file), "sha256": sha256(file)}).state_dict()
    for name, value in found.items():
        if name.startswith("classifier.") or name.endswith("num_batches_tracked"):
            assert torch.equal(value, own[name]), name
        elif name == "features.conv0.weight" and conv1 == "sum":
            assert torch.equal(value, published[name].sum(dim=1, keepdim=True))
        else:
            assert torch.equal(value, published[name]), name


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadRequest, match="no such checkpoint") as caught:
        densenet(checkpoint={"path": str(tmp_path / "none.pth"), "sha256": "0" * 64})
    assert "none.pth" in caught.value.text()


def test_another_hash_is_named_before_the_file_is_opened(file, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("opened"))
    with pytest.raises(CheckFailed, match="another SHA-256") as caught:
        densenet(checkpoint={"path": str(file), "sha256": "0" * 64})
    assert sha256(file) in caught.value.text()


def test_a_narrower_network_is_refused(file):
    with pytest.raises(BadRequest, match=r"width 1\.0"):
        densenet(width=0.5, checkpoint={"path": str(file), "sha256": sha256(file)})


class Evil:
    def __reduce__(self):
        return (print, ("unpickled",))


@pytest.mark.parametrize(
    "content, said",
    [
        ({"state_dict": Evil()}, "cannot be read as tensors"),
        ([1, 2], "holds no state_dict"),
        ({"state_dict": {"a": 1}}, "holds no state_dict"),
        ({"state_dict": {}}, "lacks layers"),
    ],
)
def test_what_is_no_checkpoint_is_named_and_never_run(tmp_path, capsys, content, said):
    path = tmp_path / "file.pth"
    torch.save(content, path)
    with pytest.raises(CheckFailed, match=said):
        densenet(checkpoint={"path": str(path), "sha256": sha256(path)})
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize("change", ["lacks", "strange", "shape"])
def test_layers_that_do_not_fit_are_named(tmp_path, published, change):
    state = chexnet_state(published)
    layer = "module.densenet121.features.denseblock2.denselayer3.conv.2.weight"
    if change == "lacks":
        del state[layer]
    elif change == "shape":
        state[layer] = state[layer][:1].clone()
    else:
        state["module.densenet121.features.another.weight"] = torch.zeros(1)
    path = tmp_path / "file.pth"
    torch.save({"state_dict": state}, path)
    name = r"features\.another\.weight" if change == "strange" else r"features\.denseblock2\.denselayer3\.conv2\.weight"
    with pytest.raises(CheckFailed, match=rf"(?s)(lacks|holds) layers.*{name}"):
        densenet(checkpoint={"path": str(path), "sha256": sha256(path)})
