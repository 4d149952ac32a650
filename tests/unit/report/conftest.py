"""A whole paper from a small cohort."""

import pytest

from dsn_saal.analyse import calibration, cases, comparisons, decision, levels, positions
from dsn_saal.params.analyse_jobs import ANALYSES, analyse_job
from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.report_job import report_job
from dsn_saal.params.table_jobs import RESULT_TABLES, TABLES, table_job
from dsn_saal.report.build import Sources, build_report
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.tables import ablation, certificates, datasets, results, shares, switchboard
from dsn_saal.tables import cohort as cohort_table
from dsn_saal.tables import comparisons as comparisons_table
from dsn_saal.tables import levels as levels_table
from dsn_saal.tables.table import write_table_files

ROOMS = {
    "comparisons": comparisons, "levels": levels, "calibration": calibration, "decision": decision,
    "positions": positions, "cases": cases,
}  # fmt: skip

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
        self.analyses = {name: root / f"analysis_{name}.json" for name in ANALYSES}
        self.write_analyses()
        self.write_tables()
        self.sources = Sources(
            tables={name: root / f"{name}.json" for name in TABLES},
            figures={name: root / f"{name}.svg" for name in self.figures},
            summaries=self.summaries, training=self.training, flow=fake.flow, mask_quality=fake.mask_quality,
            index=fake.index_path, certificate=fake.certificate, analyses=self.analyses,
        )  # fmt: skip

    def _named(self, option, path):
        """The option with the same file for every data set."""
        return [word for name in self.settings.datasets for word in (option, f"{name}={path}")]

    def write_analyses(self):
        for name in self.settings.analyse.experiments:
            self.fake.fit(name, self.settings)
        for name, path in self.analyses.items():
            job = analyse_job(self.settings, name)
            predictions = {row.name: self.every[row.name].parent for row in job.rows}
            more = {"index": self.fake.index_path} if name == "positions" else {}
            write_json(path, ROOMS[name].analyse(job, predictions=predictions, **more))

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
            *(
                room.make_table(table_job(self.settings, name), analysis=self.analyses[name])
                for name, room in (("comparisons", comparisons_table), ("levels", levels_table))
            ),
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
