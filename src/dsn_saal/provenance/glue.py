"""The one call that a Snakefile makes: `glue = attach(workflow, roots=[...], package=..., lock=...)`, and three hooks.

    onstart:
        glue.start()
    onsuccess:
        glue.learn()
    onerror:
        glue.learn()

The default profile must say `rerun-incomplete: true`, so that Snakemake makes marked outputs again, and a huge
`max-checksum-file-size`, so that it compares contents of any size. Without them it stops with an error, or works more
than it must; it never keeps a stale result.
"""

from __future__ import annotations

import atexit
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.provenance.code import Code
from dsn_saal.provenance.hashes import HashCache
from dsn_saal.provenance.locks import STATE, FolderLock
from dsn_saal.provenance.pins import Pins
from dsn_saal.provenance.records import Records, require_known_snakemake
from dsn_saal.provenance.sources import fingerprint
from dsn_saal.provenance.travel import arrived, remember
from dsn_saal.provenance.verdicts import Finding, judge, learn

SNAKEMAKE = Path(".snakemake")
"""Snakemake's folder below the working folder."""

TRAVELLED = Path("provenance")
"""Where the records that travel lie."""

MOST_FINDINGS = 12
"""How many findings are printed one by one."""


class Glue:
    """Holds Snakemake's view of the outputs to their contents for the life of one Snakemake process.

    Args:
        workflow: the `workflow` object of the Snakefile.
        roots: folders and files that the workflow makes, relative to the working folder.
        package: folder of the code that the rules call.
        lock: file that pins the versions of libraries.
    """

    def __init__(self, workflow: Any, roots: Iterable[Path], package: Path, lock: Path) -> None:
        self._workflow, self._roots = workflow, tuple(roots)
        caches = STATE.absolute()  # Snakemake leaves the working folder before its process ends
        self._hashes = HashCache(caches / "hashes.json")
        self._code = Code(package, caches / "code.json", Pins(lock))
        self._records = Records(SNAKEMAKE)
        self._lock = FolderLock()
        self._alone = False

    def code(self, *doors: str) -> str:
        """Digest of the code that these modules of the package reach, and of the libraries' versions it runs on."""
        return self._code.digest(*doors)

    def fingerprint(self, folder: str) -> str:
        """Digest of a folder of data from outside."""
        return fingerprint(Path(folder), self._hashes)

    def reconcile(self) -> list[Finding]:
        """Restore records that travelled, judge every output, mark what must be made again.

        Nothing is changed while another Snakemake is at work here.
        """
        require_known_snakemake()
        self._alone = self._lock.take()
        if not self._alone:
            _say("another run is at work here; the plan shown may be behind it")
            return []
        if self._lock.certain:
            shutil.rmtree(SNAKEMAKE / "locks", ignore_errors=True)  # Snakemake's own, which outlives a killed run
        sources = sorted(TRAVELLED.glob("*.json"))
        facts, newer = arrived(sources, STATE)
        findings = judge(self._roots, self._records, self._hashes, facts, newer=newer)
        remember(sources, STATE)
        return findings

    def start(self) -> None:
        """Refuse to run jobs where that would be unsafe; called before the first job."""
        if self._workflow.touch:
            raise CheckFailed(
                "--touch would declare old results to be those of the present params and code",
                next_step="leave it out: what is still right is not run again",
            )
        if self._workflow.is_main_process and not self._alone:
            raise CheckFailed(
                "another run is at work in this folder, or a job that a killed run left behind",
                where=STATE / "lock",
                next_step="wait for it to end, or end it",
            )

    def learn(self) -> None:
        """Note what was just made; called when the last job has ended."""
        if self._alone:
            learn(self._records, self._hashes)

    def save(self) -> None:
        """Keep the caches; called when the process ends, also after a dry run that read all data from outside."""
        if self._alone:
            self._hashes.save()
            self._code.save()


def attach(workflow: Any, *, roots: Iterable[str], package: Path, lock: Path) -> Glue:
    """Bind a workflow to the contents of its outputs; see Glue.

    Raises:
        CheckFailed: where Snakemake is not the version whose records are known, or records that travel cannot be read.
    """
    glue = Glue(workflow, map(Path, roots), package, lock)
    if workflow.is_main_process:
        _report(glue.reconcile())
        atexit.register(glue.save)
    return glue


def _report(findings: list[Finding]) -> None:
    unknown = [finding for finding in findings if finding.unknown]
    wrong = [finding for finding in findings if not finding.unknown]
    for finding in wrong[:MOST_FINDINGS]:
        _say(f"{finding.output}: {finding.reason}")
    if len(wrong) > MOST_FINDINGS:
        _say(f"... and {len(wrong) - MOST_FINDINGS} more")
    if unknown:
        _say(f"{len(unknown)} files without a record, such as {unknown[0].output}")


def _say(text: str) -> None:
    print(f"content: {text}", file=sys.stderr)
