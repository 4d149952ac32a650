"""A whole paper from a small cohort."""

import pytest

from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.report_job import report_job
from dsn_saal.params.table_jobs import AUDIT_TABLES, RESULT_TABLES, TABLES, table_job
from dsn_saal.report.build import Sources, build_report
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.tables import ablation, audit, certificates, datasets, results, shares, switchboard
from dsn_saal.tables import cohort as cohort_table
from dsn_saal.tables.table import write_table_files

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="9" height="9"/></svg>'
"""A figure that costs nothing to draw."""


AUDITED = {
    "forensics": {
        "about": "Computed.",
        "kinds": {"CONFLICT": {"meaning": "two statements contradict each other", "findings": 1}},
        "findings": [{"id": "sum", "kind": "CONFLICT", "sentence": "2 + 2 = 4; 5 is printed."}],
    },
    "verdicts": {
        "verdicts": {"NOT COMPARABLE": {"meaning": "not about the same thing", "times": 1}},
        "numbers": [],
        "curve": {"margins": [0.0, 0.2], "hold": [0, 1], "claims": 1},
        "claims": [
            {
                "table": "3",
                "statement": "best of all",
                "verdict": "NOT COMPARABLE",
                "reason": "no experiment",
                "lack": 0.1,
            },
        ],
    },
}
"""What the audit wrote, as far as its tables print it."""


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
        self.audit = {name: root / "audit" / f"{name}.json" for name in AUDIT_TABLES}
        for name, path in self.audit.items():
            write_json(path, AUDITED[name] | {"reported": report.reported, "origin": fake.origin})
        self.write_tables()
        self.sources = Sources(
            tables={name: root / f"{name}.json" for name in TABLES},
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
            *(audit.make_table(table_job(self.settings, name), audit=self.audit[name]) for name in AUDIT_TABLES),
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
