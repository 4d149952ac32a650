"""A whole paper from a small cohort."""

import pytest

from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.probe_jobs import cross_job
from dsn_saal.params.report_job import report_job
from dsn_saal.params.table_jobs import RESULT_TABLES, TABLES, table_job
from dsn_saal.report.build import Sources, build_report
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.tables import ablation, certificates, cross, datasets, results, shares, switchboard
from dsn_saal.tables import cohort as cohort_table
from dsn_saal.tables.table import write_table_files

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="9" height="9"/></svg>'
"""A figure that costs nothing to draw."""


def write_cam(path, experiment, **change):
    """What probe cam says of an experiment."""
    share = {"mean": 0.4, "interval": [0.3, 0.5], "slices": 30, "cases": 9, "blank_maps": 0, "even": 0.2}
    energy = dict.fromkeys(("covid19", "normal", "bacterial_pneumonia", "all"), share)
    steps = [{"layer": f"layer {number}", "mean": mean, "interval": [mean - 0.1, mean + 0.1], "undefined": 0, "of": 18}
             for number, mean in enumerate((0.62, 0.3, -0.05))]  # fmt: skip
    report = {
        "experiment": experiment, "missing_because": None, "grid": 14, "energy": energy,
        "run": {"run": 1, "because": "its training loss is the median of 3 runs", "weights_sha256": "0" * 64},
        "sanity": {"slices": 9, "draws": 2, "steps": steps},
    }  # fmt: skip
    write_json(path, report | change)
    return path


def write_cross(path, settings, experiment, origin="phantom", **change):
    """What probe cross says of an experiment: the further a data set stands in the params, the worse."""
    job = cross_job(settings, experiment)

    def metrics(area):
        names = ("auc", "balanced_accuracy", "sensitivity", "specificity")
        return {name: {"mean": area, "sd": 0.02, "values": [area]} for name in names} | {
            "balanced_accuracy_interval": [area - 0.1, area + 0.1]
        }

    tests = {
        name: {"title": test.title, "cut_out": test.cut_out, "own": name == job.own, "origin": origin, "slices": 30,
               "positives": 10, "cases": 12, "metrics": metrics(0.9 - 0.1 * place)}
        for place, (name, test) in enumerate(job.tests.items())
    }  # fmt: skip
    report = {"experiment": experiment, "title": job.title, "own": job.own, "positive": "covid19", "runs": [0, 1, 2],
              "of_runs": 3, "missing_because": None, "tests": tests}  # fmt: skip
    write_json(path, report | change)
    return path


class Paper:
    """Everything the report reads, below one folder, and the report itself."""

    def __init__(self, fake, settings, root):
        self.fake, self.settings, self.job, self.root = fake, settings, report_job(settings), root
        report = settings.report
        shown = [*report.table3, *report.saal_ablation, *filter(None, [report.control, report.shortcut])]
        every = dict.fromkeys([*shown, *(name for names in report.lists.values() for name in names)])
        skills = {"dsn_saal": 2.5, "vgg16_bn_ce_permuted": 0.0, "vgg16_bn_ce_surroundings": 0.0}
        self.every = {
            name: fake.evaluate(name, skill=skills.get(name, 1.5), seed=n, settings=settings) / "summary.json"
            for n, name in enumerate(every)
        }
        self.summaries = {name: self.every[name] for name in shown}
        self.training = {
            name: fake.train(name, settings, ends=(0.9, 0.999) if n else (0.7, 0.6))
            for n, name in enumerate(report.saal_ablation)
        }
        self.cams = {name: write_cam(root / "cam" / f"{name}.json", name) for name in settings.probe.cam}
        self.crosses = {
            name: write_cross(root / "crossed" / f"{name}.json", settings, name, origin=fake.origin)
            for name in settings.probe.cross
        }
        self.flows = self._named("--flow", fake.flow)
        self.mask_qualities = self._named("--mask-quality", fake.mask_quality)
        self.proofs = [
            word
            for name, dataset in settings.datasets.items()
            for protocol in dataset.protocols
            for word in ("--proof", f"{name}/{protocol}={fake.certificate}")
        ]
        self.figures = [*FIGURES, *(CONTACT_SHEET + name for name in settings.datasets)]
        for name in self.figures:
            write_text(root / f"{name}.svg", DRAWING)
        self.write_tables()
        self.sources = Sources(
            tables={name: root / f"{name}.json" for name in TABLES},
            figures={name: root / f"{name}.svg" for name in self.figures},
            summaries=self.summaries, training=self.training,
            cams=self.cams, crosses=self.crosses, flow=fake.flow, mask_quality=fake.mask_quality,
            index=fake.index_path, certificate=fake.certificate,
        )  # fmt: skip

    def _named(self, option, path):
        """The option with the same file for every data set."""
        return [word for name in self.settings.datasets for word in (option, f"{name}={path}")]

    def write_tables(self):
        fake, lists, sets = self.fake, self.settings.report.lists, self.settings.datasets
        thinned = dict.fromkeys(row.name for row in table_job(self.settings, "table6").rows)
        flows = dict.fromkeys(sets, fake.flow)
        proofs = {f"{name}/{protocol}": fake.certificate for name in sets for protocol in sets[name].protocols}
        tables = [
            cohort_table.make_table(
                table_job(self.settings, "table2"),
                index=fake.index_path,
                split=fake.split,
                certificate=fake.certificate,
            ),
            *(
                results.make_table(
                    table_job(self.settings, name), summaries={row: self.every[row] for row in lists[name]}
                )
                for name in RESULT_TABLES
            ),
            shares.make_table(
                table_job(self.settings, "table6"), summaries={name: self.every[name] for name in thinned}
            ),
            ablation.make_table(
                table_job(self.settings, "saal_ablation"),
                summaries={name: self.every[name] for name in self.training},
                training=self.training,
            ),
            cross.make_table(table_job(self.settings, "cross"), probes=self.crosses),
            switchboard.make_table(table_job(self.settings, "switchboard")),
            datasets.make_table(
                table_job(self.settings, "datasets"),
                flows=flows,
                mask_qualities=dict.fromkeys(sets, fake.mask_quality),
            ),
            certificates.make_table(table_job(self.settings, "certificates"), certificates=proofs, flows=flows),
        ]
        for table in tables:
            write_table_files(table, self.root / table.id)

    def build(self, name="paper.pdf"):
        build_report(self.job, self.sources, self.root / name)
        return self.root / name


@pytest.fixture
def paper(cohort, small_settings, tmp_path):
    """Makes a paper; `change` goes to the settings."""
    return lambda origin="phantom", **change: Paper(
        cohort(origin=origin, cases=(8, 9, 7), test_cases=3), small_settings(**change), tmp_path / "paper"
    )
