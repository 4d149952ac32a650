"""The digest of what a rule runs: its subcommand's module and all it imports, with the versions of the libraries.

Taken over syntax trees without comments, docstrings and positions, so that formatting reruns nothing; over an own walk
of the tree, so that every Python from 3.11 on gives the same digest. Files that are not Python (templates) count by
content, libraries by the version that the lock file pins.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dsn_saal.domain.errors import BadRequest
from dsn_saal.provenance.pins import Pins
from dsn_saal.storage.atomic import write_text

LEFT_OUT = (
    "dsn_saal",
    "dsn_saal.params",
    "dsn_saal.params.",
    "dsn_saal.domain.errors",
    "dsn_saal.domain.named",
    "dsn_saal.cli",
    "dsn_saal.cli.common",
    "dsn_saal.cli.plan",
    "dsn_saal.cli.progress",
    "dsn_saal.train.progress",
)
"""Not part of what a job computes: the params' laws (a job's values travel in its settings), messages, the front door,
what a job would cost and how far it is.

A name with a dot at its end stands for every module below it.
"""

WALK = 2
"""Version of the walk below: raise it when the digest of unchanged code changes."""

_PYTHON = (".py", ".pyc")
_UNSEEN = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


class Module(NamedTuple):
    """One module's digest, the names it imports from the package, and the libraries it imports."""

    digest: str
    imports: tuple[str, ...]
    libraries: tuple[str, ...]


class Code:
    """Digests of code below one package folder.

    Args:
        package: folder of the package.
        cache: file that keeps what was parsed, by content; losing it costs time only.
        pins: versions of the libraries.
        left_out: modules that do not count, see LEFT_OUT.
    """

    def __init__(self, package: Path, cache: Path, pins: Pins, left_out: tuple[str, ...] = LEFT_OUT) -> None:
        self._package, self._cache, self._pins, self._left_out = package, cache, pins, left_out
        self._parsed = _read(cache)
        self._size = len(self._parsed)

    def digest(self, *doors: str) -> str:
        """SHA-256 over everything that the modules named reach."""
        total = hashlib.sha256()
        libraries = set[str]()
        for path in self.files(*doors):
            content = _sha256(path.read_bytes())
            if path.suffix == ".py":
                module = self._module(path)
                content = module.digest
                libraries.update(module.libraries)
            total.update(f"{path.relative_to(self._package).as_posix()} {content}\n".encode())
        for pin in sorted(pin for library in libraries for pin in self._pins.of(library)):
            total.update(f"{pin}\n".encode())
        return total.hexdigest()

    def files(self, *doors: str) -> list[Path]:
        """The files of those modules, and whatever else but Python lies in their folders, sorted."""
        sources = {path for name in self.closure(*doors) if (path := self._source(name)) is not None}
        rooms = {path.parent for path in sources} - {self._package}
        beside = {path for room in rooms for path in room.rglob("*") if path.is_file() and path.suffix not in _PYTHON}
        return sorted(sources | beside)

    def closure(self, *doors: str) -> set[str]:
        """Names of all modules that the modules named reach, themselves included.

        Raises:
            BadRequest: where a door is not a module of the package.
        """
        waiting, reached = [f"{self._package.name}.{door}" for door in doors], set[str]()
        for door in waiting:
            if self._source(door) is None:
                raise BadRequest(
                    "there is no such module", value=door, where="a rule's code", next_step="correct the rule"
                )
        while waiting:
            name = waiting.pop()
            source = self._source(name)
            if name in reached or source is None or self._is_left_out(name):
                continue
            reached.add(name)
            parents = [name.rpartition(".")[0]] if "." in name else []  # importing a module runs its package first
            waiting += [*parents, *self._module(source).imports]
        return reached

    def save(self) -> None:
        """Keep what was parsed."""
        if len(self._parsed) != self._size:
            self._size = len(self._parsed)
            write_text(self._cache, json.dumps(self._parsed, separators=(",", ":")))

    def _is_left_out(self, name: str) -> bool:
        return any(name == entry or (entry.endswith(".") and name.startswith(entry)) for entry in self._left_out)

    def _source(self, name: str) -> Path | None:
        base = self._package.parent.joinpath(*name.split("."))
        return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)

    def _module(self, path: Path) -> Module:
        content = path.read_bytes()
        name = ".".join(path.relative_to(self._package.parent).with_suffix("").parts)
        key = f"{WALK} {name} {_sha256(content)}"
        if key not in self._parsed:
            tree = ast.parse(content, filename=str(path))
            imported = set(_imports(tree, name))
            own = sorted(full for full in imported if full.split(".")[0] == self._package.name)
            libraries = sorted({full.split(".")[0] for full in imported} - {self._package.name})
            self._parsed[key] = [_sha256(canonical(tree).encode()), own, libraries]
        digest, own, libraries = self._parsed[key]
        return Module(digest, tuple(own), tuple(libraries))


def canonical(node: Any) -> str:
    """A syntax tree as text: what it means, not how it is written, the same in every Python that can read it."""
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({','.join(_pieces(node.values))})"
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields if name not in _UNSEEN)
        inner = (f"{name}={canonical(value)}" for name, value in fields if value is not None and value != [])
        return f"{type(node).__name__}({','.join(inner)})"
    if isinstance(node, list):
        return f"[{','.join(canonical(item) for item in node if not _is_text_only(item))}]"
    return f"{type(node).__name__}:{node!r}"


def _pieces(values: Iterable[ast.expr]) -> Iterator[str]:
    """Parts of an f-string: Pythons differ in how they cut the text between the braces."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            text += value.value
            continue
        if text:
            yield repr(text)
        text = ""
        yield canonical(value)
    if text:
        yield repr(text)


def _is_text_only(node: Any) -> bool:
    """A docstring, or a string that stands alone as one below a constant does."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(tree: ast.AST, name: str) -> Iterator[str]:
    """Everything that may be an imported module, also where a function imports it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            way = [*name.split(".")[: -node.level], *filter(None, [node.module])] if node.level else [node.module or ""]
            yield ".".join(way)
            yield from (".".join([*way, alias.name]) for alias in node.names)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(cache: Path) -> dict[str, list[Any]]:
    try:
        parsed = json.loads(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
