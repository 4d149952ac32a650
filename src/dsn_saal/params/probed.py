"""Laws about what probes name: experiments whose networks they can look into, data sets that have what is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from dsn_saal.params.base import require_known
from dsn_saal.params.datasets import Dataset
from dsn_saal.params.learning import Experiment, Model, Report
from dsn_saal.params.methods import Method, SelfTrans
from dsn_saal.params.probe import Probe


def require_pixels(
    name: str, experiment: Experiment, datasets: Mapping[str, Dataset], methods: Mapping[str, Method]
) -> None:
    """What surrounds the lungs is known where lungs are cut out, and no other data set is learned from."""
    if experiment.pixels == "lungs":
        return
    if datasets[experiment.dataset].lungs != "hull":
        raise ValueError(f"experiments.{name}.pixels is surroundings, but {experiment.dataset!r} has lungs: none")
    method = methods[experiment.method]
    if isinstance(method, SelfTrans) and method.unlabelled:
        raise ValueError(f"experiments.{name}.pixels is surroundings; {experiment.method!r} learns from lungs too")


def require_probe(
    probe: Probe,
    report: Report,
    experiments: Mapping[str, Experiment],
    models: Mapping[str, Model],
    datasets: Mapping[str, Dataset],
) -> None:
    """Probes look at networks that see lungs; maps and the drawing are built for VGG-16."""
    for key, names in {"cam": probe.cam, "cross": probe.cross, "network": (probe.network,)}.items():
        for name in names:
            require_known(f"an experiment of probe.{key}", name, experiments)
            model = models.get(experiments[name].model or "")
            if model is None:
                raise ValueError(f"probe.{key} names {name!r}, which has no network")
            if key != "cross" and model.backbone != "vgg16_bn":
                raise ValueError(f"probe.{key} names {name!r}, whose backbone is not vgg16_bn")
            if key == "network" and model.deep_supervision is None:
                raise ValueError(f"probe.network names {name!r}, which has no side classifiers")
            if experiments[name].pixels != "lungs":
                raise ValueError(f"probe.{key} names {name!r}, which does not see the lungs")
    for name in probe.cam:
        if (experiments[name].dataset, experiments[name].protocol) != (report.dataset, report.protocol):
            raise ValueError(f"probe.cam names {name!r}, whose test part is not that of the report")
    for name, protocol in probe.cross_tests.items():
        require_known("a data set of probe.cross_tests", name, datasets)
        require_known(f"probe.cross_tests.{name}", protocol, datasets[name].protocols)
