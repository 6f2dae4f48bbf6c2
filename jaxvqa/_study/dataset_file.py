"""Data set files of libvmaf, sureal and funque_plus: Python text that is read and never run.

Such a file assigns constants, lists and dicts to names. This reads the syntax tree and knows
constants, names assigned above, lists, tuples, dicts, signs, `+` and `os.path.join`; everything
else is refused.
"""

from __future__ import annotations

import ast
import math
import os
import posixpath
import warnings
from pathlib import Path
from typing import Any, NoReturn

from jaxvqa._tables import TableError

_MAX_BYTES = 1 << 24
_MAX_LENGTH = 1 << 16  # of a text or list that `+` makes
_MAX_DEPTH = 40
# imports that real files begin with; what they bring is not looked at
_IMPORTS = {("os", None), ("os.path", None), ("numpy", "np")}
_STANDARDS = ("videolib", "standards")


class _Standard:
    """A `standards.NAME` of funque_plus: a colour standard that says nothing of votes."""


def read_assignments(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Names and values of a data set file.

    Args:
        path: the file.

    Returns:
        The values by name; dicts, lists, tuples, text, numbers, booleans and None.

    Raises:
        TableError: anything but plain assignments, in one sentence with the line.
    """
    name = os.fspath(path)
    try:
        if os.path.getsize(name) > _MAX_BYTES:
            raise TableError(f"{name}: is larger than {_MAX_BYTES >> 20} MiB, no data set file is.")
        content = Path(name).read_bytes()
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror or error}.") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a stranger's escape sequences
            tree = ast.parse(content.decode("utf-8-sig"))
    except (SyntaxError, ValueError, RecursionError, MemoryError, UnicodeDecodeError):
        raise TableError(f"{name}: is not Python text that can be read.") from None
    return _Reader(name).run(tree)


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._values: dict[str, Any] = {}
        self._imported: set[str] = set()

    def run(self, tree: ast.Module) -> dict[str, Any]:
        for statement in tree.body:
            if isinstance(statement, ast.Assign):
                value = self._value(statement.value, 0)
                for target in statement.targets:
                    if not isinstance(target, ast.Name):
                        self._refuse(target, "assigns to something other than a name")
                    self._values[target.id] = value
            elif isinstance(statement, (ast.Import, ast.ImportFrom)):
                self._import(statement)
            elif not (
                isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            ):
                self._refuse(statement, f"has {_kind(statement)}")
        return self._values

    def _refuse(self, node: ast.AST, problem: str) -> NoReturn:
        line = getattr(node, "lineno", 0)
        raise TableError(
            f"{self._name}, line {line}: {problem}: data set files may only assign constants, "
            "lists and dicts to names, with + and os.path.join."
        )

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            if isinstance(statement, ast.Import):
                known = (alias.name, alias.asname) in _IMPORTS
            else:
                known = (statement.module, alias.name) == _STANDARDS and alias.asname is None
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
            return items if isinstance(node, ast.List) else tuple(items)
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
            return self._join(node, depth)
        if isinstance(node, ast.Attribute):
            owner = node.value
            standard = isinstance(owner, ast.Name) and owner.id == "standards"
            if standard and "standards" in self._imported and "standards" not in self._values:
                return _Standard()
        return self._refuse(node, f"has {_kind(node)}")

    def _constant(self, node: ast.Constant) -> Any:
        value = node.value
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int) and value.bit_length() <= 63:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return self._refuse(node, "has a constant that is no text and no number of usual size")

    def _dict(self, node: ast.Dict, depth: int) -> dict[Any, Any]:
        found = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self._refuse(node, "unpacks a dict")
            name = self._value(key, depth + 1)
            plain = isinstance(name, (str, int, float)) or (
                isinstance(name, tuple) and all(isinstance(n, (str, int, float)) for n in name)
            )
            if not plain:
                self._refuse(key, "has a key that is no text or number")
            if name in found:
                self._refuse(key, "has a dict with the same key twice")
            found[name] = self._value(value, depth + 1)
        return found

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
            total = total + value  # type: ignore[operator]
            if alike and len(total) > _MAX_LENGTH:
                self._refuse(node, "adds up to something too long")
        return total

    def _join(self, node: ast.Call, depth: int) -> str:
        call = ast.unparse(node.func) if _small(node.func) else ""
        if call != "os.path.join" or "os" not in self._imported or "os" in self._values:
            self._refuse(node, "calls a function")
        if node.keywords or not node.args:
            self._refuse(node, "calls os.path.join with something other than texts")
        parts = []
        for argument in node.args:
            value = self._value(argument, depth + 1)
            if not isinstance(value, str):
                self._refuse(argument, "calls os.path.join with something other than texts")
            parts.append(value)
        return posixpath.join(*parts)


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
