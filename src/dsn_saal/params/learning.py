"""Sections about learning: network, models, experiments, training, evaluation, report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dsn_saal.domain.pixels import Normalisation, Pixels
from dsn_saal.params.base import Name, Section, open_choice, ours, stated


class Network(Section):
    """What all networks share."""

    width: float = ours("share of the published channel numbers (1.0 is the published network)", gt=0, le=1)
    weights: Literal["imagenet", "none"] = stated(
        "initialisation of the backbone (paper: ImageNet)", source="section 5.1"
    )
    conv1: Literal["sum", "mean", "repeat", "random"] = open_choice(
        "how ImageNet's three input channels become one",
        paper="single-channel input",
        default="sum",
        alternatives="mean, repeat (three-channel input), random",
    )
    dropout: float = open_choice(
        "dropout in the classifier head", paper="not stated", default="0.5 (VGG)", alternatives="0", ge=0, lt=1
    )
    normalise: Normalisation = open_choice(
        "input normalisation",
        paper="not stated",
        default="(x/255 - 0.449) / 0.226, ImageNet's statistics as grey",
        alternatives="covid_ct (mean 0.4527, sd 0.3317: Self-Trans's code), unit (x/255), none",
    )

    @model_validator(mode="after")
    def _weights_fit(self) -> Network:
        if self.weights == "imagenet" and self.width != 1.0:
            raise ValueError(f"weights: imagenet fits the published width 1.0 only, not {self.width}")
        return self


class DeepSupervision(Section):
    """Side classifiers on the five stages."""

    tap: Literal["after_relu", "after_bn", "after_conv"] = open_choice(
        "where a side branch leaves a convolution",
        paper="after each convolution",
        default="after_relu",
        alternatives="after_conv, after_bn",
    )
    channels: int = stated("channels of each 1x1 side convolution", source="section 3.1", ge=1, le=512)
    merge: Literal["sum", "concat"] = open_choice(
        "how the maps of one stage are joined", paper="fused by a 1x1 convolution", default="sum", alternatives="concat"
    )
    fuse_channels: int = open_choice(
        "channels of the fused map",
        paper="at most 0.1 M extra parameters",
        default="1",
        alternatives="21",
        ge=1,
        le=512,
    )
    side_bn: bool = open_choice(
        "batch normalisation on side convolutions",
        paper="BN after convolutions of the architecture",
        default="false",
        alternatives="true",
    )
    side_init: Literal["normal_0.01", "framework"] = open_choice(
        "initial values of side layers", paper="random", default="N(0, 0.01), bias 0", alternatives="framework default"
    )


class Prototypes(Section):
    """Log-affinities to prototypes of the classes."""

    kind: Literal["prototypes"]
    per_class: int = ours("prototypes of each class (m of Hayat et al. 2019)", ge=1, le=100)
    sigma: float = ours(
        "of the Gaussian, for features over the root of their number (koshian2/affinity-loss, features as they come: "
        "10)",
        gt=0,
    )


class Cosines(Section):
    """Cosines between features and the weights of the classes."""

    kind: Literal["cosines"]
    scale: float = ours("factor of the cosines (kaidic/LDAM-DRW: 30)", gt=0)


LastLayer = Annotated[Prototypes | Cosines, Field(discriminator="kind")]


class Checkpoint(Section):
    """A file of weights that a network starts from."""

    path: str = ours("the file, absolute or from the folder that the workflow runs in", min_length=1)
    sha256: str = ours("its SHA-256", pattern=r"^[0-9a-f]{64}$")


class Model(Section):
    """A named network."""

    backbone: Literal["vgg16_bn", "resnet32", "resnet50", "resnext50", "densenet121", "densenet169", "mobilenet_v2"] = (
        stated("backbone", source="section 3.1")
    )
    deep_supervision: DeepSupervision | None = ours("side classifiers, or null for the plain backbone")
    last_layer: LastLayer | None = ours("what gives the final logits; null or left out: linear", default=None)
    checkpoint: Checkpoint | None = ours(
        "a CheXNet checkpoint to start from (DenseNet-121 at width 1); null or left out: see network.weights",
        default=None,
    )

    @model_validator(mode="after")
    def _has_stages(self) -> Model:
        if self.backbone in ("mobilenet_v2", "resnet32") and self.deep_supervision is not None:
            raise ValueError(f"{self.backbone} has no side classifiers: deep_supervision must be null")
        if self.last_layer is not None and self.deep_supervision is not None:
            raise ValueError("side classifiers are linear: one of last_layer and deep_supervision must be null")
        if self.backbone != "densenet121" and self.checkpoint is not None:
            raise ValueError(f"a checkpoint is of densenet121, not of {self.backbone}: checkpoint must be null")
        return self


Labels = Literal["as_given", "permuted"]


class Experiment(Section):
    """One row of the grid: which network learns from which data with which loss."""

    title: str = ours("what tables and figures print")
    dataset: Name
    protocol: Name = ours("split of the data set; run r uses its draw r modulo draws")
    model: Name | None = ours("its network; null with a method of kind classical, which has none")
    loss: Name | None = ours("what it minimises; null with a method of kind classical")
    method: Name = ours("how it learns")
    labels: Labels = ours("permuted: the training slices' labels dealt out anew, the control")
    pixels: Pixels = ours(
        "what the network sees: the lungs, or the slice without them, the shortcut probe", default="lungs"
    )


class Train(Section):
    """What all training jobs share, whatever their method: paper section 5.1."""

    precision: Literal["auto", "fp32", "tf32", "bf16"] = open_choice(
        "arithmetic of the forward pass",
        paper="not stated (PyTorch 1.3.0: fp32)",
        default="auto: fp32 on a CPU, bf16 autocast on a GPU that has it",
        alternatives="fp32, tf32 (on a GPU), bf16",
    )
    select_epoch: Literal["last", "best_validation"] = open_choice(
        "which epoch is tested",
        paper="not stated, no validation set is described",
        default="last",
        alternatives="best_validation (least cross-entropy of the final output on held-out training cases)",
    )
    validation_share: float | None = ours(
        "share of each class's training cases that select_epoch: best_validation holds out; null with last", gt=0, lt=1
    )
    compile: bool = ours("let torch.compile fuse the network's operations: minutes once, then faster steps")
    keep_weights: Literal["all", "median", "none"] = ours(
        "runs of an experiment whose weights are kept: all, the one whose final training loss is the median, or none; "
        "of the others the logits on the test part are"
    )
    runs: int = stated(
        "runs per experiment (paper: 10); on folds their protocol decides", source="section 5.1", ge=1, le=1000
    )
    first_seed: int = open_choice(
        "seed of run 0; run r has first_seed + r (start, order, dropout; the split only if its protocol has draws)",
        paper="10 experiments; what varies is not stated",
        default="0",
        alternatives="any",
        ge=0,
    )
    threads: int = ours("CPU threads of a training job: part of the result's identity, sums depend on it", ge=1, le=256)

    @model_validator(mode="after")
    def _share_where_it_is_used(self) -> Train:
        if (self.validation_share is None) != (self.select_epoch == "last"):
            raise ValueError(
                "validation_share belongs to select_epoch: best_validation (0.2, say) and must be null with last, not "
                f"{self.validation_share} with {self.select_epoch}"
            )
        return self


class Evaluate(Section):
    """Metrics: paper section 5.2."""

    predict_from: Literal["final", "mean_softmax"] = open_choice(
        "which output is the prediction",
        paper="not stated",
        default="final",
        alternatives="mean_softmax (mean of the six softmax outputs)",
    )
    batch_size: int = ours("images per inference step", ge=1)
    accuracy: Literal["overall", "ovr_mean", "positive", "balanced"] = open_choice(
        "primary accuracy", paper="Right / All", default="overall", alternatives="ovr_mean, positive, balanced"
    )
    f1: Literal["macro", "weighted", "positive", "of_means"] = open_choice(
        "primary F1", paper="the equation is lost", default="macro", alternatives="weighted, positive, of_means"
    )
    g_mean: Literal["multiclass", "ovr_mean", "root_of_means", "positive"] = open_choice(
        "primary G-mean",
        paper="the equation is lost",
        default="multiclass",
        alternatives="ovr_mean, root_of_means, positive",
    )
    auc: Literal["ovr_macro", "positive", "ovo_macro"] = open_choice(
        "primary area under the ROC curve", paper="not stated", default="ovr_macro", alternatives="positive, ovo_macro"
    )
    std_ddof: Literal[0, 1] = open_choice(
        "divisor of the standard deviation over runs: n - ddof", paper="not stated", default="1", alternatives="0"
    )
    interval_level: float = ours("level of the intervals over test cases", gt=0.5, lt=1)
    bootstrap_draws: int = ours("draws of whole test cases behind each interval", ge=100, le=1_000_000)
    bootstrap_seed: int = ours("seed of those draws", ge=0)


class Report(Section):
    """What the tables, figures and the report show."""

    reported: str = ours(
        "file of what this paper and those it quotes report, each number with its source", min_length=1
    )
    dataset: Name = ours("data set of Tables 2 to 6 and of Figure 3")
    protocol: Name = ours("its split in Tables 2 to 5 and Figure 4, and the whole training part of Table 6")
    table3: tuple[Name, ...] = ours("experiments of Table 3, in row order", min_length=1, strict=False)
    table4: tuple[Name, ...] = ours(
        "experiments of Table 4: with and without deep supervision", min_length=1, strict=False
    )
    table5: tuple[Name, ...] = ours("experiments of Table 5: the losses", min_length=1, strict=False)
    table6: dict[str, Annotated[tuple[Name, ...], Field(strict=False)]] = ours(
        "per method of Table 6 its experiments, the whole training part first, then falling shares"
    )
    table7a: tuple[Name, ...] = ours("experiments of Table 7, first part; none: no table", strict=False)
    table7b: tuple[Name, ...] = ours("experiments of Table 7, second part; none: no table", strict=False)
    table8: tuple[Name, ...] = ours("experiments of Table 8; none: no table", strict=False)
    table9: tuple[Name, ...] = ours("experiments of Table 9; none: no table", strict=False)
    saal_ablation: tuple[Name, ...] = ours(
        "experiments that show what alpha and beta do: the paper's reading first, then the changes of it",
        min_length=2,
        strict=False,
    )
    figure4: tuple[Name, ...] = ours("experiments of Figure 4", min_length=1, strict=False)
    control: Name | None = ours("the permuted-label experiment the report quotes, or null")
    shortcut: Name | None = ours("the experiment that sees everything but the lungs, or null", default=None)
    figure3_cases_per_class: int = ours("example cases per class in Figure 3", ge=1, le=6)
    figure6: Name = ours("experiment whose diagnoses Figure 6 and the gallery of failures show")
    figure7_cases_per_class: int = ours("example cases per class in Figure 7, one slice each", ge=1, le=4)
    failures_per_cell: int = ours("slices that the gallery of failures shows of each confusion", ge=1, le=12)

    @property
    def lists(self) -> dict[str, tuple[Name, ...]]:
        """Every list of experiments by the item that shows it."""
        lists = {"table3": self.table3, "table4": self.table4, "table5": self.table5, "figure4": self.figure4}
        lists["saal_ablation"] = self.saal_ablation
        return lists | {f"table6.{title}": names for title, names in self.table6.items()}

    @property
    def public_tables(self) -> dict[str, tuple[Name, ...]]:
        """Experiments on the public data sets by the table that shows them."""
        return {"table7a": self.table7a, "table7b": self.table7b, "table8": self.table8, "table9": self.table9}

    @model_validator(mode="after")
    def _each_once(self) -> Report:
        for key, names in (self.lists | self.public_tables).items():
            if len(set(names)) != len(names):
                raise ValueError(f"{key} names an experiment twice: {', '.join(names)}")
        if not self.table6 or not all(self.table6.values()):
            raise ValueError("table6 needs at least one method with at least one experiment")
        if self.control in self.table3:
            raise ValueError(f"{self.control!r} is the control and cannot be a row of table3 too")
        return self
