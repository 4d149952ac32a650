"""A whole paper from a small cohort."""

from pathlib import Path

import pytest
from fake_sets import FakeSets

from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.report_job import report_job
from dsn_saal.params.table_jobs import PUBLIC_TABLES, RESULT_TABLES, table_job
from dsn_saal.report.build import Sources, build_report
from dsn_saal.storage.atomic import write_text
from dsn_saal.tables import ablation, certificates, compositions, datasets, results, shares, switchboard
from dsn_saal.tables import cohort as cohort_table
from dsn_saal.tables import public as public_sets
from dsn_saal.tables.table import write_table_files

REPORTED = Path(__file__).parents[3] / "data/reported/hu2021.yaml"

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="9" height="9"/></svg>'
"""A figure that costs nothing to draw."""


class Paper:
    """Everything the report reads, below one folder, and the report itself."""

    def __init__(self, fake, settings, root):
        self.fake, self.settings, self.job, self.root = fake, settings, report_job(settings), root
        report = settings.report
        shown = [*report.table3, *report.saal_ablation, *([report.control] if report.control else [])]
        every = dict.fromkeys([*shown, *(name for names in report.lists.values() for name in names)])
        skills = {"dsn_saal": 2.5, "vgg16_bn_ce_permuted": 0.0}
        self.every = {
            name: fake.evaluate(name, skill=skills.get(name, 1.5), seed=n, settings=settings) / "summary.json"
            for n, name in enumerate(every)
        }
        self.summaries = {name: self.every[name] for name in shown}
        self.training = {
            name: fake.train(name, settings, ends=(0.9, 0.999) if n else (0.7, 0.6))
            for n, name in enumerate(report.saal_ablation)
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
        self.sets = FakeSets(root / "sets", settings, fake.origin)
        self.write_tables()
        self.sources = Sources(
            tables={name: root / f"{name}.json" for name in self.job.tables},
            figures={name: root / f"{name}.svg" for name in self.figures},
            summaries=self.summaries, training=self.training, flow=fake.flow, mask_quality=fake.mask_quality,
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
            switchboard.make_table(table_job(self.settings, "switchboard")),
            datasets.make_table(
                table_job(self.settings, "datasets"),
                flows=flows,
                mask_qualities=dict.fromkeys(sets, fake.mask_quality),
            ),
            certificates.make_table(table_job(self.settings, "certificates"), certificates=proofs, flows=flows),
        ]
        reported, public = {"reported": REPORTED}, self.sets
        tables += [
            compositions.make_table(
                table_job(self.settings, "table1"), flows=public.flows, certificates=public.certificates, **reported
            ),
            *(
                public_sets.make_table(
                    table_job(self.settings, name), summaries=public.summaries_of(name),
                    certificates=public.proofs_of(name), **reported,
                )
                for name in PUBLIC_TABLES
                if name in self.job.tables
            ),
        ]  # fmt: skip
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
