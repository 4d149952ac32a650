"""`snakemake --report` in a finished tree: every item with its caption under its heading, and nothing reruns for it."""

import json
import re
import zipfile

from dsn_saal.params.shelves import SHELVES


def test_snakemakes_own_report_holds_every_item_and_reruns_nothing(tree):
    tree.sh("snakemake", "--cores", "1", "--report", "report.zip", "all")
    with zipfile.ZipFile(tree.root / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
    held, categories = (
        json.loads(re.search(rf"var {name} = (\{{.*?\}});?\n", page)[1]) for name in ("results", "categories")
    )
    tables, figures = tree.root.glob("results/tables/*.csv"), tree.root.glob("results/figures/*.svg")
    reports = [tree.root / "results/report/paper.pdf", tree.root / "results/report/report.html"]
    made = {path.relative_to(tree.root).as_posix(): path for path in [*tables, *figures, *reports]}
    assert held.keys() == made.keys()
    assert all(item["caption"].startswith("<p>") and item["labels"]["item"] for item in held.values())
    assert set(categories) <= {*SHELVES.values(), "The paper"}
    shelved = {path: heading for heading, inner in categories.items() for paths in inner.values() for path in paths}
    assert shelved.keys() == made.keys()
    assert shelved["results/tables/table3.csv"] == SHELVES["results"]
    assert shelved["results/tables/certificates.csv"] == SHELVES["data"]
    with zipfile.ZipFile(tree.root / "report.zip") as archive:
        for path, item in held.items():
            assert archive.read(f"report/{item['data_uri']}") == made[path].read_bytes(), path
    assert tree.planned() == set()
