"""Findings about counts: sums, two sources of one count, the rounding of a split and of a share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from dsn_saal.audit.findings import Finding, per_cent, slug
from dsn_saal.audit.tallies import ALL, EACH, PART_OF, PARTS, Tally, entry, part_counts, tallies
from dsn_saal.params.reported import ReportedNumbers
from dsn_saal.statistics.counting import ROUNDING, agreeing_rules
from dsn_saal.statistics.printed import count, listed

KEPT = re.compile(r"kept at (?P<percent>[\d.]+) %$")
"""A row that counts what is left of the positive class at a share."""


def count_findings(reported: ReportedNumbers) -> Iterator[Finding]:
    """Everything that sums and shares of printed counts show."""
    yield from _two_sources(reported)
    yield from _sums(reported)
    yield from _published_splits(reported)
    yield from _split_shares(reported)
    yield from _kept_shares(reported)
    yield from _parts_of_sets(reported)


def _two_sources(reported: ReportedNumbers) -> Iterator[Finding]:
    for (dataset, who, unit), known in tallies(reported).items():
        for first, second in combinations(known, 2):
            if first.value == second.value:
                continue
            yield Finding(
                slug("two_counts", dataset, who, unit),
                "CONFLICT",
                f"{dataset} has {count(first.value)} {unit} of {who} by {_read(first)}, but {count(second.value)} by "
                f"{_read(second)}.",
                (*first.names, *second.names),
                {"first": first.value, "second": second.value},
            )


def _read(tally: Tally) -> str:
    first = tally.rows[0]
    where = "the text" if first.table == "text" else f"Table {first.table}"
    source = first.source if first.status != "printed" else where
    return source if len(tally.rows) == 1 else f"the sum of its parts in {where}"


def _sums(reported: ReportedNumbers) -> Iterator[Finding]:
    """Of each printed total: the sum of what is printed of the classes, for each way to know them."""
    known = tallies(reported)
    for (dataset, who, unit), totals in known.items():
        if who != ALL:
            continue
        classes = {name: found for (where, name, what), found in known.items() if (where, what) == (dataset, unit)}
        classes.pop(ALL)
        for place in range(max((len(found) for found in classes.values()), default=0)):
            parts = [found[min(place, len(found) - 1)] for found in classes.values()]
            total, summed = totals[0], sum(part.value for part in parts)
            agree = summed == total.value
            yield Finding(
                slug("sum", dataset, unit, _read(parts[0])),
                "CONSISTENT" if agree else "CONFLICT",
                f"The {unit} of the classes of {dataset}, by {_read(parts[0])}, sum to "
                f"{' + '.join(count(part.value) for part in parts)} = {count(summed)}"
                + (", as printed." if agree else f"; {count(total.value)} is printed."),
                (*(name for part in parts for name in part.names), *total.names),
                {"sum": summed, "printed": total.value},
            )


def _published_splits(reported: ReportedNumbers) -> Iterator[Finding]:
    """Whether the parts of a published split sum to what is printed of them, and whether there is a validation part."""
    for split in reported.splits:
        where = f"splits, {split.dataset}"
        for part in PARTS:
            classes = part_counts(reported, split.dataset, part, "slices", "images")
            size = getattr(split, part)
            if size is not None and classes and PART_OF not in split.dataset:
                agree = sum(classes.values()) == size
                yield Finding(
                    slug("split_sum", split.dataset, part),
                    "CONSISTENT" if agree else "CONFLICT",
                    f"The classes of the {part} part of {split.dataset} sum to {count(sum(classes.values()))}; "
                    f"its list holds {count(size)}.",
                    (where, *(f"{split.dataset}, {name}, {part}" for name in classes)),
                    {"sum": sum(classes.values()), "listed": size},
                )
        if split.test is not None and split.val is None and PART_OF not in split.dataset:
            yield Finding(
                slug("no_validation", split.dataset),
                "UNTESTABLE",
                f"A training and a test part of {split.dataset} are described and no validation part: that the tested "
                "epoch was chosen by its test result cannot be excluded.",
                (where,),
            )


def _split_shares(reported: ReportedNumbers) -> Iterator[Finding]:
    """Which rounding gives the printed cases of the training part, and what share of the slices it comes to."""
    for statement in reported.statements:
        if statement.quantity != "share of cases for training" or statement.dataset is None:
            continue
        dataset, share = statement.dataset, float(statement.value)
        train, test = (part_counts(reported, dataset, part, "cases") for part in ("train", "test"))
        pairs = {name: (train[name] + test[name], train[name]) for name in train if name in test}
        rules = agreeing_rules(share, list(pairs.values()))
        yield Finding(
            slug("split_rounding", dataset),
            "CONSISTENT" if rules else "CONFLICT",
            f"Of {listed([count(whole) for whole, _ in pairs.values()])} cases a share of {share:g}, class by class, "
            f"gives the printed {listed([count(part) for _, part in pairs.values()])} "
            + (f"with {' or '.join(rules)}" if rules else "by no rounding")
            + f"; tried: {', '.join(ROUNDING)}.",
            (f"statements, {statement.id}", *(f"{dataset}, {name}, train_cases and test_cases" for name in pairs)),
            {"share": share, "pairs": pairs, "agreeing": rules},
        )
        sizes = [part_counts(reported, dataset, part, "slices") for part in ("train", "test")]
        shares = {name: sizes[0][name] / (sizes[0][name] + sizes[1][name]) for name in sizes[0] if name in sizes[1]}
        if shares:
            whole = sum(sizes[0].values()) / (sum(sizes[0].values()) + sum(sizes[1].values()))
            yield Finding(
                slug("split_slices", dataset),
                "IMPRECISE",
                f"The split takes {per_cent(share, 0)} of the cases of each class; of their slices it takes "
                f"{listed([f'{per_cent(value, 1)} ({name})' for name, value in shares.items()])}, "
                f"{per_cent(whole, 1)} of all.",
                tuple(f"{dataset}, {name}, train_slices and test_slices" for name in shares),
                {"by_class": shares, "all": whole},
            )


def _kept_shares(reported: ReportedNumbers) -> Iterator[Finding]:
    """Which rounding gives the printed number of slices kept, and whether whole cases can have been drawn."""
    rows = [
        (row, found)
        for row in reported.reported
        if (found := KEPT.search(row.method)) and row.status in ("printed", "computed")
    ]
    for row, found in rows:
        positive, share = reported.positive.get(row.dataset, ""), float(found["percent"]) / 100
        base = part_counts(reported, row.dataset, "train", "slices", "images").get(positive)
        if base is None:
            continue
        rules = agreeing_rules(share, [(base, int(row.value))])
        yield Finding(
            slug("kept", row.dataset, found["percent"]),
            "AMBIGUOUS" if len(rules) > 1 and row.status == "printed" else "CONSISTENT" if rules else "CONFLICT",
            f"{share:g} of {count(base)} {positive} training slices is {share * base:g}; the {row.status} "
            f"{count(int(row.value))} comes from {' or '.join(rules) or 'no rounding'}.",
            (entry(row), f"{row.dataset}, {positive}, train_slices"),
            {"share": share, "base": base, "kept": int(row.value), "agreeing": rules},
        )
        cases = part_counts(reported, row.dataset, "train", "cases").get(positive)
        if cases and row.status == "printed" and row.value < cases:
            yield Finding(
                slug("kept_cases", row.dataset, found["percent"]),
                "IMPRECISE",
                f"{count(int(row.value))} slices are fewer than the {count(cases)} training cases of {positive}, and a "
                f"case has {base / cases:.1f} slices on average, so one whole case of average size already holds more: "
                "they were drawn slice by slice. How many cases they come from is not printed.",
                (entry(row), f"{row.dataset}, {positive}, train_cases and train_slices"),
                {"kept": int(row.value), "cases": cases, "slices_per_case": base / cases},
            )


def _parts_of_sets(reported: ReportedNumbers) -> Iterator[Finding]:
    """A printed share of a training part against the counts."""
    sizes = {split.dataset: split.train for split in reported.splits}
    for statement in reported.statements:
        dataset = statement.dataset or ""
        base, separator, _ = dataset.partition(PART_OF)
        if statement.quantity != "share of the training images" or not separator:
            continue
        part, whole = sizes.get(dataset), sizes.get(base)
        if part is None or whole is None:
            continue
        printed, exact = float(statement.value) / (100 if statement.unit == "percent" else 1), part / whole
        yield Finding(
            slug("share_of_set", dataset),
            "CONSISTENT" if printed == exact else "IMPRECISE",
            f"{count(part)} of {count(whole)} training images are {per_cent(exact)}; "
            f"{per_cent(printed, 0)} is printed.",
            (f"statements, {statement.id}", f"splits, {dataset} and {base}"),
            {"exact": exact, "printed": printed},
        )
        each = [row for row in reported.reported if (row.dataset, row.method) == (dataset, EACH)]
        classes = len(part_counts(reported, base, "train", "images"))
        for row in each:
            agree = int(row.value) * classes == part
            yield Finding(
                slug("each_class", dataset),
                "CONSISTENT" if agree else "CONFLICT",
                f"{count(int(row.value))} images of each of {classes} classes are {count(int(row.value) * classes)}; "
                f"the list holds {count(part)}.",
                (entry(row), f"splits, {dataset}"),
                {"sum": int(row.value) * classes, "listed": part},
            )
