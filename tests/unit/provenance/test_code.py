"""The digest of code: by meaning, over everything that is reached."""

import ast
import sys

import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.provenance.code import Code, canonical
from dsn_saal.provenance.pins import Pins

PACKAGE = {
    "__init__.py": "VERSION = '1'\n",
    "door.py": "from toy.room import hall\n\ndef run():\n    from toy.room.cellar import wine\n    return hall, wine\n",
    "room/__init__.py": '"""A room."""\nLAMP = 1\n',
    "room/hall.py": "from . import chair\nimport toy.params.laws\n",
    "room/chair.py": "LEGS = 4\n",
    "room/cellar.py": "import rich\nfrom yaml.nodes import Node\n\nwine = 'red'\n",
    "room/attic.py": "import cv2\n",
    "room/layout.typ": "#set page()\n",
    "params/__init__.py": "",
    "params/laws.py": "law = 1\n",
    "other/__init__.py": "",
    "other/door.py": "from toy.room.chair import LEGS\n",
}


@pytest.fixture
def package(tmp_path):
    for name, text in PACKAGE.items():
        path = tmp_path / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "toy"


def code(package):
    return Code(package, package.parent / "cache.json", Pins(package.parent / "lock"), left_out=("toy", "toy.params."))


def test_the_closure_holds_what_is_imported_anywhere_and_the_packages_on_the_way(package):
    assert code(package).closure("door") == {
        "toy.door", "toy.room", "toy.room.hall", "toy.room.chair", "toy.room.cellar"
    }  # fmt: skip
    names = [path.relative_to(package).as_posix() for path in code(package).files("door")]
    assert "room/layout.typ" in names and "room/attic.py" not in names and "params/laws.py" not in names


@pytest.mark.parametrize("name", [*PACKAGE])
def test_an_edit_changes_the_digests_of_the_doors_that_reach_it(package, name):
    doors = ["door", "other.door"]
    before = {door: code(package).digest(door) for door in doors}
    path = package / name
    path.write_text(path.read_text() + ("MORE = 1\n" if name.endswith(".py") else "#pagebreak()\n"))
    after = {door: code(package).digest(door) for door in doors}
    reached = {
        "door.py": ["door"], "room/__init__.py": doors, "room/hall.py": ["door"], "room/chair.py": doors,
        "room/cellar.py": ["door"], "room/layout.typ": doors, "other/__init__.py": ["other.door"],
        "other/door.py": ["other.door"],
    }  # fmt: skip
    assert [door for door in doors if before[door] != after[door]] == reached.get(name, [])


def test_the_version_of_a_library_counts_where_it_is_imported(package):
    lock = package.parent / "lock"
    lock.write_text("PyYAML==6.0 \\\n    --hash=sha256:00\nrich==1.0\nopencv-python-headless==5.0\n")
    before = [code(package).digest(door) for door in ("door", "other.door")]
    lock.write_text("pyyaml==6.0 ; python_version < '4'\nrich==2.0\nopencv-python-headless==6.0\n")
    assert [code(package).digest(door) for door in ("door", "other.door")] == before
    lock.write_text("pyyaml==7.0\n")
    after = [code(package).digest(door) for door in ("door", "other.door")]
    assert after[0] != before[0] and after[1] == before[1]


def test_what_was_parsed_is_kept_by_content(package):
    first = code(package)
    digest = first.digest("door")
    first.save()
    again = code(package)
    assert again.digest("door") == digest
    (package / "room/chair.py").write_text("LEGS = 3\n")
    assert again.digest("door") != digest
    (package.parent / "cache.json").write_text("{broken")
    (package / "room/chair.py").write_text(PACKAGE["room/chair.py"])
    assert code(package).digest("door") == digest


def test_a_door_that_is_not_there_is_refused(package):
    with pytest.raises(BadRequest, match="there is no such module"):
        code(package).digest("window")


SAME = [
    ("x = 1", "x = (1)  # one"),
    ("f(a, b)", "f(\n    a,\n    b,\n)"),
    ("def f():\n    return 'a' 'b'", 'def f():\n    """Doc."""\n\n    return "ab"'),
    ("X = 1\n", 'X = 1\n"""What X is."""\n'),
    ("x = f'{a}b{c!r:>{d}}'", 'x = f"{a}" f"b{c!r:>{d}}"'),
    ("class A:\n    pass", "class A:\n\n    pass"),
]
DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = '1'", "x = b'1'"),
    ("x = a", "x = b"),
    ("x = a + b", "x = a - b"),
    ("x = None", "x = ..."),
    ("f(a, b)", "f(b, a)"),
    ("f(a)", "f(*a)"),
    ("f(a=b)", "f(b=a)"),
    ("x = [1, 2]", "x = [[1], 2]"),
    ("x = [[1], [2]]", "x = [[1, 2]]"),
    ("x = f'{a}b'", "x = f'{a}c'"),
    ("x = f'{a}'", "x = f'{a!r}'"),
    ("x = f'{a}'", "x = f'{a:2}'"),
    ("def f(a, *, b): pass", "def f(a, b): pass"),
    ("def f(a=1): pass", "def f(a): pass"),
    ("@d\ndef f(): pass", "def f(): pass"),
    ("x: int = 1", "x = 1"),
    ("if a:\n    b\nelse:\n    c", "if a:\n    b\nc"),
    ("async def f(): pass", "def f(): pass"),
    ("x = {**a}", "x = {a: a}"),
    ("from a import b", "from a import b as c"),
    ("from .a import b", "from ..a import b"),
    ("return_ = -1", "return_ = 1"),
    ("x = 'a'", "'a'"),
    ("try:\n    a\nexcept B:\n    c", "try:\n    a\nexcept C:\n    c"),
    ("x = a.b", "x = a.c"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_the_same_reads_the_same(one, other):
    assert canonical(ast.parse(one)) == canonical(ast.parse(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_means_another_thing_reads_otherwise(one, other):
    assert canonical(ast.parse(one)) != canonical(ast.parse(other))


def test_every_python_reads_the_same():
    """The text stands here: another Python's tree has other fields, and must give it all the same."""
    source = "@d\ndef f(a: int, *b, c=1.5, **e) -> str:\n    '''Doc.'''\n    return f'{a!r:>{c}}x' + b[1:-2]\n"
    assert sys.version_info >= (3, 11)
    assert canonical(ast.parse(source)) == (
        "Module(body=[FunctionDef(name=str:'f',args=arguments(args=[arg(arg=str:'a',annotation=Name(id=str:'int'))],"
        "vararg=arg(arg=str:'b'),kwonlyargs=[arg(arg=str:'c')],kw_defaults=[Constant(value=float:1.5)],"
        "kwarg=arg(arg=str:'e')),body=[Return(value=BinOp(left=JoinedStr(FormattedValue(value=Name(id=str:'a'),"
        "conversion=int:114,format_spec=JoinedStr('>',FormattedValue(value=Name(id=str:'c'),conversion=int:-1))),'x'),"
        "op=Add(),right=Subscript(value=Name(id=str:'b'),slice=Slice(lower=Constant(value=int:1),"
        "upper=UnaryOp(op=USub(),operand=Constant(value=int:2))))))],decorator_list=[Name(id=str:'d')],"
        "returns=Name(id=str:'str'))])"
    )
