"""A whole paper from a small cohort."""

import copy
import json
import shutil
from dataclasses import fields
from pathlib import Path

import chromium
import pytest
from fake_probes import write_cam, write_cross
from fake_sets import FakeSets

from dsn_saal.analyse import calibration, cases, comparisons, decision, levels, positions
from dsn_saal.params.analyse_jobs import ANALYSES, analyse_job
from dsn_saal.params.figure_jobs import CONTACT_SHEET, FIGURES
from dsn_saal.params.html_job import html_job
from dsn_saal.params.public_table_jobs import PUBLIC_TABLES
from dsn_saal.params.report_job import report_job
from dsn_saal.params.table_jobs import AUDIT_TABLES, RESULT_TABLES, table_job
from dsn_saal.report.build import Sources, build_report
from dsn_saal.report.html.build import build_page
from dsn_saal.report.html.sources import Sources as HtmlSources
from dsn_saal.storage.atomic import write_json, write_text
from dsn_saal.tables import ablation, audit, certificates, compositions, cross, datasets, results, shares, switchboard
from dsn_saal.tables import cohort as cohort_table
from dsn_saal.tables import comparisons as comparisons_table
from dsn_saal.tables import levels as levels_table
from dsn_saal.tables import public as public_sets
from dsn_saal.tables.table import write_table_files

REPORTED = Path(__file__).parents[3] / "data/reported/hu2021.yaml"

ROOMS = {
    "comparisons": comparisons, "levels": levels, "calibration": calibration, "decision": decision,
    "positions": positions, "cases": cases,
}  # fmt: skip

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
        self.audit = {name: root / "audit" / f"{name}.json" for name in AUDIT_TABLES}
        for name, path in self.audit.items():
            write_json(path, AUDITED[name] | {"reported": report.reported, "origin": fake.origin})

        self.sets = FakeSets(root / "sets", settings, fake.origin)

        self.analyses = {name: root / f"analysis_{name}.json" for name in ANALYSES}
        self.write_analyses()
        self.write_tables()
        self.sources = Sources(
            tables={name: root / f"{name}.json" for name in self.job.tables},
            figures={name: root / f"{name}.svg" for name in self.figures},
            summaries=self.summaries, training=self.training,
            cams=self.cams, crosses=self.crosses, flow=fake.flow, mask_quality=fake.mask_quality,
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
            cross.make_table(table_job(self.settings, "cross"), probes=self.crosses),
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
            *(audit.make_table(table_job(self.settings, name), audit=self.audit[name]) for name in AUDIT_TABLES),
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


class Page:
    """The page on a screen, from the same files as a paper; other data sets have files of their own classes."""

    def __init__(self, paper):
        self.paper, self.settings, self.root = paper, paper.settings, paper.root
        fake, settings = paper.fake, paper.settings
        self.job = html_job(settings)
        for name in self.job.experiments:
            if name not in paper.every:
                paper.every[name] = fake.evaluate(name, skill=1.5, seed=99, settings=settings) / "summary.json"
        self.sources = HtmlSources(
            tables=paper.sources.tables,
            figures=paper.sources.figures,
            evaluated={name: path.parent for name, path in paper.every.items() if name in self.job.experiments},
            ingested=dict.fromkeys(self.job.datasets, fake.flow.parent),
            preprocessed=dict.fromkeys(self.job.datasets, fake.images),
            proofs={
                (name, protocol): self._certificate(name, protocol)
                for name, held in self.job.datasets.items()
                for protocol in held.protocols
            },
            findings={},
        )

    def _certificate(self, dataset, protocol):
        held = json.loads(self.paper.fake.certificate.read_text())
        if dataset != self.settings.report.dataset:
            classes = self.job.datasets[dataset].classes
            held["counts"] = {part: {name: {"cases": 2, "slices": 5} for name in classes} for part in held["counts"]}
        path = self.root / f"{dataset}.{protocol}.certificate.json"
        write_json(path, held)
        return path

    def build(self, name="report.html"):
        build_page(self.job, self.sources, self.root / name)
        return self.root / name


@pytest.fixture(scope="session")
def page_of():
    """Makes a page from a cohort."""
    return lambda fake, settings, root: Page(Paper(fake, settings, root))


@pytest.fixture(scope="session")
def lasting_page(page_of, lasting_cohort, small_settings, tmp_path_factory):
    """A page that several tests look at, written once."""
    made = page_of(lasting_cohort(cases=(8, 9, 7), test_cases=3), small_settings(), tmp_path_factory.mktemp("page"))
    made.path = made.build()
    return made


@pytest.fixture
def page(lasting_page, tmp_path):
    """A page of this test's own, from copies of the files of the lasting one."""
    made, moved = copy.deepcopy(lasting_page), {}
    for name, root in (("cohort", made.paper.fake.root), ("page", made.root)):
        moved[root] = shutil.copytree(root, tmp_path / name)

    def here(held):
        if isinstance(held, dict):
            return {name: here(path) for name, path in held.items()}
        return next(new / held.relative_to(old) for old, new in moved.items() if held.is_relative_to(old))

    made.sources = HtmlSources(**{field.name: here(getattr(made.sources, field.name)) for field in fields(HtmlSources)})
    made.root = here(made.root)
    return made


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium."""
    with chromium.running(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def paper(cohort, small_settings, tmp_path):
    """Makes a paper; `change` goes to the settings."""
    return lambda origin="phantom", **change: Paper(
        cohort(origin=origin, cases=(8, 9, 7), test_cases=3), small_settings(**change), tmp_path / "paper"
    )
