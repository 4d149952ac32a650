"""params.yaml as a whole: its sections, and the laws that hold between them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, cast

from pydantic import model_validator

from dsn_saal.params.analyse import Against, Analyse
from dsn_saal.params.audit import Audit
from dsn_saal.params.base import Name, Section, require_known
from dsn_saal.params.data import Ingest, Preprocess
from dsn_saal.params.datasets import Cohort, Dataset, Phantom
from dsn_saal.params.laws import (
    require_classical,
    require_one_dataset,
    require_one_number_of_runs,
    require_prototypes,
    require_thumbnail,
    require_vote,
)
from dsn_saal.params.learning import Evaluate, Experiment, Model, Network, Report, Train
from dsn_saal.params.losses import CrossEntropy, Loss, Saal
from dsn_saal.params.methods import Classical, MetaWeight, Method, NetworkMethod, SelfTrans
from dsn_saal.params.probe import Probe
from dsn_saal.params.probed import require_pixels, require_probe
from dsn_saal.params.protocols import Cases, Certificate, Folds, Protocol, Subsample, require_base
from dsn_saal.params.regimens import Regimen


class Settings(Section):
    """Every section with the chosen scale laid over it."""

    scale: Literal["demo", "paper"]
    datasets: dict[Name, Dataset]
    phantom: Phantom
    ingest: Ingest
    preprocess: Preprocess
    protocols: dict[Name, Protocol]
    certificate: Certificate
    network: Network
    models: dict[Name, Model]
    losses: dict[Name, Loss]
    regimens: dict[Name, Regimen]
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment]
    train: Train
    evaluate: Evaluate
    probe: Probe
    analyse: Analyse
    report: Report
    audit: Audit

    @model_validator(mode="after")
    def _references_resolve(self) -> Settings:
        require_base(self.protocols)
        for name, method in self.methods.items():
            if isinstance(method, Classical):
                require_thumbnail(name, method, self.preprocess.image_size)
                continue
            require_known(f"methods.{name}.regimen", method.regimen, self.regimens)
            if isinstance(method, SelfTrans):
                self._require_contrast(name, method)
            require_vote(name, method, self.regimens, self.train)
        for name, experiment in self.experiments.items():
            sections: dict[str, Collection[str]] = {
                "dataset": self.datasets, "model": self.models, "loss": self.losses, "method": self.methods,
            }  # fmt: skip
            for kind, known in sections.items():
                if getattr(experiment, kind) is not None:
                    require_known(f"experiments.{name}.{kind}", getattr(experiment, kind), known)
            splits = self.datasets[experiment.dataset].protocols
            require_known(f"experiments.{name}.protocol", experiment.protocol, splits)
            self._require_plain(name, experiment)
            require_prototypes(name, experiment, self.models, self.losses)
            require_pixels(name, experiment, self.datasets, self.methods)
            require_classical(name, experiment, self.methods[experiment.method])
        require_one_number_of_runs(self.protocols, {one.protocol for one in self.experiments.values()})
        for name, dataset in self.datasets.items():
            for protocol in dataset.protocols:
                require_known(f"datasets.{name}.protocols", protocol, self.protocols)
                self._require_classes(name, protocol)
            if dataset.is_phantom and set(self._cohort(name).cases) != set(dataset.classes):
                raise ValueError(f"phantom.cohorts.{name} must name the classes of datasets.{name}")
        self._require_report()
        require_probe(self.probe, self.report, self.experiments, self.models, self.datasets)
        self._require_analysed()
        self.audit.require_known(self.datasets, self.experiments)
        return self

    def regimen_of(self, experiment: str) -> Regimen:
        """How the weights of an experiment's network are moved; a law of the settings: its method has a regimen."""
        return self.regimens[cast("NetworkMethod", self.methods[self.experiments[experiment].method]).regimen]

    def runs_of(self, experiment: str) -> int:
        """How many runs an experiment has: train.runs, but on folds as many as its protocol says."""
        protocol = self.protocols[self.experiments[experiment].protocol]
        return protocol.runs if isinstance(protocol, Folds) else self.train.runs

    def _require_contrast(self, name: str, method: SelfTrans) -> None:
        for dataset in method.unlabelled:
            require_known(f"methods.{name}.unlabelled", dataset, self.datasets)
        if len(set(method.unlabelled)) != len(method.unlabelled):
            raise ValueError(f"methods.{name}.unlabelled names a data set twice: {', '.join(method.unlabelled)}")
        for key in ("unlabelled_regimen", "target_regimen"):
            wanted = getattr(method, key)
            require_known(f"methods.{name}.{key}", wanted, self.regimens)
            if self.regimens[wanted].augmentation is None:
                raise ValueError(f"methods.{name}.{key} is {wanted!r}, which has no augmentation: both views are equal")
            if self.regimens[wanted].batch_size > method.contrast.queue:
                raise ValueError(f"methods.{name}.contrast.queue is smaller than the batches of regimen {wanted!r}")

    def _require_plain(self, name: str, experiment: Experiment) -> None:
        """Meta-Weight-Net weighs the cross-entropy of a plain network's images, whose labels must be right."""
        if not isinstance(self.methods[experiment.method], MetaWeight) or not experiment.loss or not experiment.model:
            return
        loss, where = self.losses[experiment.loss], f"experiments.{name} learns by kind meta_weight and needs"
        if not isinstance(loss, CrossEntropy) or loss.weighting != "none" or loss.gamma:
            raise ValueError(f"{where} plain cross-entropy, not loss {experiment.loss!r}")
        if self.models[experiment.model].deep_supervision is not None:
            raise ValueError(f"{where} a model without deep supervision, not {experiment.model!r}")
        if experiment.labels != "as_given":
            raise ValueError(f"{where} labels: as_given, because its meta set must be clean")

    def _cohort(self, dataset: str) -> Cohort:
        require_known("a phantom source needs a cohort: phantom.cohorts", dataset, self.phantom.cohorts)
        return self.phantom.cohorts[dataset]

    def _require_classes(self, dataset: str, name: str) -> None:
        """Refuse a protocol that speaks of classes which the data set does not have."""
        protocol, classes = self.protocols[name], self.datasets[dataset].classes
        if isinstance(protocol, Subsample):
            require_known(f"protocols.{name}.of, used by datasets.{dataset},", protocol.of, classes)
            protocol = self.protocols[protocol.base]
        if isinstance(protocol, Cases) and protocol.train_slices and set(protocol.train_slices) != set(classes):
            raise ValueError(f"protocols.{name}.train_slices must name the classes of datasets.{dataset}")

    def _require_report(self) -> None:
        report = self.report
        require_known("report.dataset", report.dataset, self.datasets)
        require_known("report.protocol", report.protocol, self.datasets[report.dataset].protocols)
        shown = self.protocols[report.protocol]
        if not isinstance(shown, Cases) or shown.draws > 1:
            raise ValueError(
                f"report.protocol is {report.protocol!r}, which is no protocol of kind cases with draws: 1"
            )
        alone = {"control": report.control, "shortcut": report.shortcut, "figure6": report.figure6}
        for item, names in (report.lists | {key: (name,) for key, name in alone.items() if name}).items():
            for name in names:
                self._require_shown(item, name)
        if report.shortcut and self.experiments[report.shortcut].pixels != "surroundings":
            raise ValueError(f"report.shortcut is {report.shortcut!r}, which sees the lungs")
        for item, names in report.public_tables.items():
            for name in names:
                require_known(f"an experiment of report.{item}", name, self.experiments)
            require_one_dataset(item, {name: self.experiments[name].dataset for name in names})
        for name in report.saal_ablation:
            if not isinstance(self.losses.get(self.experiments[name].loss or ""), Saal):
                raise ValueError(f"report.saal_ablation names {name!r}, whose loss has no alpha and beta")

    def _require_analysed(self) -> None:
        """Refuse an analysis of what the report's tables and split do not hold."""
        for table, family in self.analyse.families.items():
            if isinstance(family, Against):
                require_known(f"analyse.families.{table}.reference", family.reference, self.experiments)
        for name in self.analyse.experiments:
            require_known("an experiment of analyse.experiments", name, self.experiments)
            experiment, report = self.experiments[name], self.report
            if (experiment.dataset, experiment.protocol) != (report.dataset, report.protocol):
                raise ValueError(
                    f"analyse.experiments names {name!r} of {experiment.dataset!r} split by {experiment.protocol!r}; "
                    f"the report is of {report.dataset!r} split by {report.protocol!r}"
                )

    def _require_shown(self, item: str, name: str) -> None:
        """Refuse an experiment that an item of the report cannot set beside its others."""
        report = self.report
        require_known(f"an experiment of report.{item}", name, self.experiments)
        experiment = self.experiments[name]
        protocol = self.protocols[experiment.protocol]
        is_share = isinstance(protocol, Subsample) and protocol.base == report.protocol
        fits = experiment.protocol == report.protocol or (item.startswith("table6.") and is_share)
        if experiment.model is None:
            raise ValueError(f"report.{item} shows networks, but experiment {name!r} is of a classical method")
        if experiment.dataset != report.dataset or not fits:
            raise ValueError(
                f"report.{item} shows {report.dataset!r} split by {report.protocol!r}, but experiment {name!r} uses "
                f"{experiment.dataset!r} split by {experiment.protocol!r}"
            )
