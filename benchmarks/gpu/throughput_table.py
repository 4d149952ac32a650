"""The table of a throughput result: images/s, shares of the measured ceilings, what pooling first gains."""

from __future__ import annotations

from typing import Any

BARS = {"dsn_vgg16_bn": (3000.0, 4400.0)}
"""Images/s on an H200 at 224 px that DSN-SAAL must reach, and the estimate to beat."""

Lines = list[dict[str, Any]]


def told(lines: Lines) -> str:
    """The result as text."""
    ceilings = {line["key"]: line for line in lines if line["key"].startswith(("matrix", "copy"))}
    rows = [line for line in lines if "images_per_s" in line]
    head = sorted({f"{line['device']}, torch {line['torch']}, {line['date']}" for line in lines})
    table = [*head, ""]
    for key, line in ceilings.items():
        measured = f"{line['tflops']:.1f} TFLOP/s" if "tflops" in line else f"{line.get('gb_per_s', 0):.0f} GB/s"
        table.append(f"ceiling: {key}: {line.get('failed', measured)}")
    table += [
        "", "| network | arithmetic | batch | images/s | TFLOP/s | MFU | GB moved/image | of copy bandwidth |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    table += [_row(line, ceilings) for line in rows]
    table += ["", "MFU: achieved over the measured matrix product of the same arithmetic. GB moved: every operation's"]
    table += [
        "inputs and outputs, without fusion; what stays in a cache counts too, so the share is an upper bound.",
        "",
    ]
    table += _gains(rows) + _bars(rows)
    table += [f"FAILED: {line['key']}: {line['failed']}" for line in lines if "failed" in line]
    return "\n".join(table)


def _row(line: dict[str, Any], ceilings: dict[str, dict[str, Any]]) -> str:
    product = ceilings.get(f"matrix product, {line['arithmetic'].partition(',')[0]}", {}).get("tflops")
    copy, moved = ceilings.get("copy", {}).get("gb_per_s"), line["bytes_per_image"]
    mfu = f"{line['tflops'] / product:.1%}" if product else "–"
    gigabytes = f"{moved / 1e9:.4f}" if moved else "–"
    share = f"{line['images_per_s'] * moved / 1e9 / copy:.0%}" if moved and copy else "–"
    return (
        f"| {line['network']} | {line['arithmetic']} | {line['batch']} | {line['images_per_s']:.0f} "
        f"| {line['tflops']:.2f} | {mfu} | {gigabytes} | {share} |"
    )


def _gains(rows: Lines) -> list[str]:
    """Ratios between lines that differ in one thing."""
    rate = {(line["network"], line["arithmetic"], line["batch"]): line["images_per_s"] for line in rows}
    said = []
    for network, arithmetic, batch in rate:
        here = rate[network, arithmetic, batch]
        others = {
            "pool first / naive": (f"{network}, naive", arithmetic),
            "deep supervision / plain": (network.removeprefix("dsn_"), arithmetic),
            "compiled / eager": (network, arithmetic.removesuffix(", compiled")),
        }
        for what, (other, other_arithmetic) in others.items():
            key = (other, other_arithmetic, batch)
            if key in rate and key != (network, arithmetic, batch):
                said.append(f"{what}, {network}, {arithmetic}, batch {batch}: {here / rate[key]:.3f}x")
    return said


def _bars(rows: Lines) -> list[str]:
    """The best line of a network against its bars, where it was measured at their size."""
    said = []
    for network, (least, beat) in BARS.items():
        found = [
            line
            for line in rows
            if line["network"] == network and line["size"] == 224 and "H200" in line["device"]
            and "not deterministic" not in line["arithmetic"]
        ]  # fmt: skip
        if found:
            best = max(found, key=lambda line: line["images_per_s"])
            verdict = [f"{best['images_per_s'] / bar:.2f} of {bar:.0f}" for bar in (least, beat)]
            said.append(f"best of {network}: {best['key']}: {best['images_per_s']:.0f} images/s: {', '.join(verdict)}")
    return said
