"""The graph of a workflow's rules as they stand: who makes what from whom, and how many jobs each rule has.

Snakemake draws it for a person (`--rulegraph`), but no rule can ask for it. Here it is walked from the target back, by
the rules' own patterns and input functions, without looking at what lies on the disk.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import CheckFailed


def rule_graph(workflow: Any, target: str = "all") -> str:
    """The rules that a target needs, as JSON; the same text for the same graph.

    Args:
        workflow: Snakemake's `workflow` object, once every rule is known: in a function of wildcards, say.
        target: a rule without wildcards.

    Returns:
        {"rules": {rule: {"stage": stem of the file that holds it, "jobs": number}}, "edges": [[maker, user], ...]}.

    Raises:
        CheckFailed: where a file has two makers.
    """
    from snakemake.iocontainers import Wildcards

    literal = {str(output): rule for rule in workflow.rules if not rule.has_wildcards() for output in rule.output}
    seen: dict[tuple[str, str], Any] = {}
    edges: set[tuple[str, str]] = set()
    pending: list[tuple[Any, dict[str, str]]] = [(workflow.get_rule(target), {})]
    while pending:
        rule, wildcards = pending.pop()
        key = (rule.name, json.dumps(wildcards, sort_keys=True))
        if key in seen:
            continue
        seen[key] = rule
        for file in map(str, rule.expand_input(Wildcards(fromdict=wildcards))[0]):
            maker = literal.get(file) or _maker(workflow, file)
            if maker is not None:
                edges.add((maker.name, rule.name))
                pending.append((maker, dict(maker.get_wildcards(file))))
    names = sorted({name for name, _ in seen})
    rules = {
        name: {
            "stage": Path(str(workflow.get_rule(name).snakefile)).stem,
            "jobs": sum(one == name for one, _ in seen),
        }
        for name in names
    }
    return json.dumps({"rules": rules, "edges": sorted(edges)}, separators=(",", ":"))


def _maker(workflow: Any, file: str) -> Any:
    """The rule whose pattern fits a file, None for a source."""
    makers = [
        rule for rule in workflow.rules if rule.has_wildcards() and any(output.match(file) for output in rule.output)
    ]
    if len(makers) > 1:
        raise CheckFailed("two rules make one file", value=", ".join(rule.name for rule in makers), where=file)
    return makers[0] if makers else None
