"""Data set files of libvmaf, sureal and funque_plus: Python text that is read and never run.

Such a file assigns constants, lists and dicts to names. This reads the syntax tree and knows
constants, names assigned above, lists, tuples, dicts, signs, `+`, `os.path.join`, the paths of
libvmaf's `VmafConfig` and `float('nan')`; everything else is refused.
"""

from __future__ import annotations

import ast
import math
import os
import posixpath
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jaxvqa._tables import TableError

_MAX_BYTES = 1 << 22  # Python's syntax tree of a file takes up to 500 times its size
_MAX_DEPTH = 40
# characters of a value that is written out, and of all that `+` and calls make: names may be used
# again and again, so that a short file could hold values without end
_MOST = 1 << 24
# imports that real files begin with; what they bring is not looked at
_IMPORTS = {("os", None), ("os.path", None), ("numpy", "np")}
_FROM = {("videolib", "standards"), ("vmaf.config", "VmafConfig")}
# folders of a checkout of libvmaf, as its VmafConfig has them
_CHECKOUT = {
    "root_path": (),
    "resource_path": ("resource",),
    "test_resource_path": ("python", "test", "resource"),
    "tools_resource_path": ("python", "vmaf", "tools", "resource"),
    "workspace_path": ("workspace",),
    "encode_path": ("workspace", "encode"),
}


@dataclass(frozen=True)
class Standard:
    """A `standards.NAME` of funque_plus, the colour standard of a video."""

    name: str


def read_assignments(
    path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None
) -> dict[str, Any]:
    """Names and values of a data set file.

    Args:
        path: the file.
        root: the folder that stands for libvmaf's checkout in paths of `VmafConfig`; without it
            they are refused.

    Returns:
        The values by name; dicts, lists, tuples, text, numbers (NaN too), booleans, None and
        `Standard`.

    Raises:
        TableError: anything but plain assignments, in one sentence with the line.
    """
    name = os.fspath(path)
    try:
        if os.path.getsize(name) > _MAX_BYTES:
            raise TableError(
                f"{name}: is larger than {_MAX_BYTES >> 20} MiB, as no data set file is: write a "
                "table of clips."
            )
        content = Path(name).read_bytes()
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror or error}.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a stranger's escape sequences
            tree = ast.parse(content.decode("utf-8-sig"))
    except (SyntaxError, ValueError, RecursionError, MemoryError, UnicodeDecodeError):
        raise TableError(f"{name}: is not Python text that can be read.") from None
    # a whole path: what is not one is taken to begin at the folder of the file, or at the root
    return _Reader(name, None if root is None else os.path.abspath(root)).run(tree)


class _Reader:
    def __init__(self, name: str, root: str | None) -> None:
        self._name, self._root = name, root
        self._values: dict[str, Any] = {}
        self._imported: set[str] = set()
        self._made = 0  # characters that `+` and calls made
        self._sizes: dict[int, tuple[Any, int]] = {}  # of lists and dicts, by identity

    def run(self, tree: ast.Module) -> dict[str, Any]:
        for statement in tree.body:
            if isinstance(statement, ast.Assign):
                value = self._value(statement.value, 0)
                for target in statement.targets:
                    self._assign(target, value)
            elif isinstance(statement, (ast.Import, ast.ImportFrom)):
                self._import(statement)
            elif not (
                isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            ):
                self._refuse(statement, f"has {_kind(statement)}")
        return self._values

    def _refuse(self, node: ast.AST, problem: str) -> NoReturn:
        self._fail(
            node,
            f"{problem}: data set files may only assign constants, lists and dicts to names, with "
            "+ and os.path.join.",
        )

    def _fail(self, node: ast.AST, sentence: str) -> NoReturn:
        raise TableError(f"{self._name}, line {getattr(node, 'lineno', 0)}: {sentence}")

    def _assign(self, target: ast.expr, value: Any) -> None:
        """To a name, or each of several values to a name of its own."""
        if isinstance(target, ast.Name):
            self._values[target.id] = value
            return
        names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
        several = isinstance(value, (list, tuple)) and len(value) == len(names) > 0
        if not several or not all(isinstance(name, ast.Name) for name in names):
            self._refuse(target, "assigns to something other than names")
        for name, one in zip(names, value, strict=True):
            self._assign(name, one)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                known = (alias.name, alias.asname) in _IMPORTS
            else:
                plain = alias.asname is None and not statement.level
                known = (statement.module, alias.name) in _FROM and plain
            if not known:
                self._refuse(statement, f"imports {alias.name[:40]}")
            self._imported.add(alias.asname or alias.name.partition(".")[0])

    def _value(self, node: ast.expr, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self._refuse(node, "is nested too deeply")
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            if node.id not in self._values:
                self._refuse(node, f"uses the name {node.id[:40]} before it is assigned")
            return self._values[node.id]
        if isinstance(node, (ast.List, ast.Tuple)):
            items = [self._value(item, depth + 1) for item in node.elts]
            return self._sized(node, items if isinstance(node, ast.List) else tuple(items), items)
        if isinstance(node, ast.Dict):
            return self._dict(node, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self._value(node.operand, depth + 1)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self._refuse(node, "has a sign before something other than a number")
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._sum(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        if isinstance(node, ast.Attribute):
            owner = node.value
            standard = isinstance(owner, ast.Name) and owner.id == "standards"
            if standard and self._is_module("standards"):
                return Standard(node.attr)
        return self._refuse(node, f"has {_kind(node)}")

    def _is_module(self, name: str) -> bool:
        return name in self._imported and name not in self._values

    def _sized(self, node: ast.AST, value: Any, items: Iterable[Any]) -> Any:
        """A list, tuple or dict, unless it would be too long if it were written out."""
        size = 2 + sum(self._size(item) for item in items)
        if size > _MOST:
            self._refuse(node, "holds a value that is too long")
        self._sizes[id(value)] = (value, size)  # kept, so that the identity stays its own
        return value

    def _size(self, value: Any) -> int:
        if isinstance(value, str):
            return 2 + len(value)
        return self._sizes[id(value)][1] if isinstance(value, (list, tuple, dict)) else 8

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, (bool, str)) or _is_usual(value):
            return value
        return self._refuse(node, "has a constant that is no text and no number of usual size")

    def _dict(self, node: ast.Dict, depth: int) -> dict[Any, Any]:
        found = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self._refuse(node, "unpacks a dict")
            name = self._value(key, depth + 1)
            parts = name if isinstance(name, tuple) else (name,)
            if not all(isinstance(part, str) or _is_usual(part) for part in parts):
                self._refuse(key, "has a key that is no text or number")
            if name in found:
                self._refuse(key, "has a dict with the same key twice")
            found[name] = self._value(value, depth + 1)
        return self._sized(node, found, [*found, *found.values()])

    def _sum(self, node: ast.BinOp, depth: int) -> Any:
        # a chain `a + b + c` leans to the left: taken in a loop, so that it may be long
        parts = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            parts.append(left.right)
            left = left.left
        total: Any = self._value(left, depth + 1)
        for part in reversed(parts):
            value: Any = self._value(part, depth + 1)
            if isinstance(total, bool) or isinstance(value, bool):
                self._refuse(node, "adds what is no number, text or list")
            numbers = isinstance(total, (int, float)) and isinstance(value, (int, float))
            alike = type(total) is type(value) and isinstance(total, (str, list, tuple))
            if not numbers and not alike:
                self._refuse(node, "adds values that don't go together")
            if alike:
                self._count(node, (total, value))
            added = total + value  # type: ignore[operator]
            if numbers and not _is_usual(added):
                self._refuse(node, "adds up to a number of no usual size")
            total = self._sized(node, added, added) if isinstance(added, (list, tuple)) else added
        return total

    def _count(self, node: ast.AST, parts: Iterable[Any]) -> None:
        """Counts what is made of parts, before it is made."""
        self._made += sum(self._size(part) for part in parts)
        if self._made > _MOST:
            self._refuse(node, "adds up to something too long")

    def _call(self, node: ast.Call, depth: int) -> Any:
        name = ast.unparse(node.func) if _small(node.func) else ""
        owner, _, method = name.partition(".")
        if name == "os.path.join" and self._is_module("os") and node.args:
            folder: tuple[str, ...] = ()
            known = not node.keywords
        elif owner == "VmafConfig" and method in _CHECKOUT and self._is_module("VmafConfig"):
            if self._root is None:
                self._fail(
                    node,
                    "names files by libvmaf's VmafConfig: say with `root` which folder is the "
                    "checkout of libvmaf.",
                )
            folder = (self._root, *_CHECKOUT[method])
            known = all(_is_switch(one, "bypass_download") for one in node.keywords)
        elif name == "float" and "float" not in self._values and _is_nan(node):
            return math.nan
        else:
            self._refuse(node, "calls a function")
        parts = [self._value(argument, depth + 1) for argument in node.args]
        if not known or not all(isinstance(part, str) for part in parts):
            self._refuse(node, f"calls {name} with something other than texts")
        self._count(node, (*folder, *parts))
        return posixpath.join(*folder, *parts)


def _is_usual(value: Any) -> bool:
    """A number as data sets have them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value.bit_length() <= 63 if isinstance(value, int) else math.isfinite(value)


def _is_switch(keyword: ast.keyword, name: str) -> bool:
    value = keyword.value
    return keyword.arg == name and isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _is_nan(node: ast.Call) -> bool:
    """True for the arguments of `float('nan')`, which writes a vote that is missing."""
    texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
    nan = len(node.args) == len(texts) == 1 and isinstance(texts[0], str)
    return nan and not node.keywords and str(texts[0]).lower() == "nan"


def _small(node: ast.expr) -> bool:
    """A plain chain of up to three names, which is safe to write out."""
    for _ in range(3):
        if isinstance(node, ast.Name):
            return True
        if not isinstance(node, ast.Attribute):
            return False
        node = node.value
    return False


def _kind(node: ast.AST) -> str:
    words = {
        "Call": "a call", "Attribute": "an attribute", "JoinedStr": "an f-string",
        "ListComp": "a comprehension", "DictComp": "a comprehension", "Subscript": "a subscript",
        "FunctionDef": "a function", "ClassDef": "a class", "For": "a loop", "While": "a loop",
        "If": "a condition", "Lambda": "a function", "BinOp": "an operator other than +",
    }  # fmt: skip
    return words.get(type(node).__name__, f"Python's {type(node).__name__}")
