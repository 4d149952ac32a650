"""LaTeX of a table: booktabs rules, characters escaped."""

from __future__ import annotations

from collections.abc import Sequence

_ESCAPED = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--", "≥": r"$\geq$", "≤": r"$\leq$",
    "<": r"\textless{}", ">": r"\textgreater{}", "×": r"$\times$", "α": r"$\alpha$", "β": r"$\beta$", "−": "$-$",
}  # fmt: skip

LatexPanel = tuple[str, str, Sequence[str], Sequence[Sequence[str]]]
"""Title, alignment, heads, rows."""


def latex_text(text: str) -> str:
    """Text with every character that LaTeX would read as a command escaped."""
    return "".join(_ESCAPED.get(character, character) for character in text)


def latex_table(title: str, label: str, panels: Sequence[LatexPanel], footnotes: Sequence[str]) -> str:
    """A floating table.

    Args:
        title: caption.
        label: for cross-references.
        panels: printed one below the other.
        footnotes: printed below in small type.
    """
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{latex_text(title)}}}", rf"\label{{{label}}}", r"\small"]
    for panel in panels:
        lines += _tabular(*panel)
    lines += [rf"\par\vspace{{2pt}}\footnotesize {latex_text(note)}" for note in footnotes]
    return "\n".join([*lines, r"\end{table}", ""])


def _tabular(title: str, align: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    above = [rf"\par\vspace{{4pt}}\emph{{{latex_text(title)}}}\par\vspace{{2pt}}"] if title else []
    body = [_row(row) for row in rows]
    return [
        *above,
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        _row(heads),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"
