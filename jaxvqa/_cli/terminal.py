"""Text on a terminal: aligned tables, progress, warnings; with colours where rich is there."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Progress = Callable[[int, int | None], None]

_GAP = "  "
_MIN_WIDTH = 12
_UNLIMITED = 10**6


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: its heading.
        right: numbers, aligned to the right.
        fold: may be broken into several lines where the terminal is narrow.
        style: rich's style of its cells.
    """

    title: str
    right: bool = False
    fold: bool = False
    style: str = ""


def rich_console(stream: Any) -> Any | None:
    """A rich console on a stream, or None if it is no terminal or rich is not installed."""
    if not stream.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, highlight=False, soft_wrap=True)


def width_of(stream: Any) -> int:
    """Columns of a terminal; without limit for a file, so that a row stays a line."""
    return shutil.get_terminal_size().columns if stream.isatty() else _UNLIMITED


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> None:
    """Prints rows on stdout under headings, aligned.

    Args:
        columns: the columns; if none has a title there is no heading.
        rows: the cells.
        notes: for each row a text that is printed below it, indented.
    """
    widths = _widths(columns, rows, width_of(sys.stdout))
    if any(column.title for column in columns):
        for row, style in (
            ([c.title for c in columns], "bold"),
            (["-" * w for w in widths], "dim"),
        ):
            _print_row(row, columns, widths, [style] * len(columns))
    for i, row in enumerate(rows):
        _print_row(row, columns, widths, [c.style for c in columns])
        if notes:
            print_folded(notes[i], "    ", "dim")


def _print_row(
    row: Sequence[str], columns: Sequence[Column], widths: Sequence[int], styles: Sequence[str]
) -> None:
    console = rich_console(sys.stdout)
    for cells in _lines(row, columns, widths):
        if console is None:
            print(_GAP.join(cells).rstrip())
        else:
            console.print(_styled(cells, styles))


def print_styled(text: str, style: str, stream: Any = None) -> None:
    """Prints a line in a style of rich, or plain."""
    target = stream or sys.stdout
    console = rich_console(target)
    if console is None:
        print(text, file=target)
    else:
        console.print(_styled([text], [style]))


def print_folded(text: str, indent: str = "", style: str = "", hanging: int = 0) -> None:
    """Prints prose on stdout, broken at the width of the terminal.

    Args:
        text: the prose.
        indent: stands before every line.
        style: of rich.
        hanging: spaces before every line but the first.
    """
    room = width_of(sys.stdout) - len(indent) - hanging
    for i, line in enumerate(fold(text[hanging:], room)):
        print_styled(indent + (" " * hanging if i else text[:hanging]) + line, style)


def fold(text: str, width: int) -> list[str]:
    """Breaks text at spaces into lines of at most `width` characters.

    A word that is longer is broken after its underscores, and stays whole if it has none.
    """
    lines, line = [], ""
    for word in text.split(" "):
        pieces = [word] if len(word) <= width else re.findall(r"[^_]*_|[^_]+", word)
        for i, piece in enumerate(pieces):
            joint = " " if line and i == 0 else ""
            if line and len(line) + len(joint) + len(piece) > width:
                lines.append(line)
                line, joint = "", ""
            line += joint + piece
    return [*lines, line]


def _styled(cells: Sequence[str], styles: Sequence[str], gap: str = _GAP) -> Any:
    from rich.text import Text

    text = Text()
    for i, (cell, style) in enumerate(zip(cells, styles, strict=True)):
        text.append((gap if i else "") + cell, style=style)
    text.rstrip()
    return text


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], limit: int) -> list[int]:
    """Widths of the columns; those that fold share what is too much."""
    widths = [
        max(len(column.title), *(len(row[i]) for row in rows)) if rows else len(column.title)
        for i, column in enumerate(columns)
    ]
    excess = sum(widths) + len(_GAP) * (len(columns) - 1) - limit
    folding = [i for i, column in enumerate(columns) if column.fold]
    while excess > 0 and folding:
        widest = max(folding, key=lambda i: widths[i])
        if widths[widest] <= _MIN_WIDTH:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _lines(
    row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]
) -> Iterator[list[str]]:
    cells = [
        fold(text, width) if column.fold else [text]
        for text, column, width in zip(row, columns, widths, strict=True)
    ]
    for i in range(max(len(cell) for cell in cells)):
        parts = [cell[i] if i < len(cell) else "" for cell in cells]
        yield [
            part.rjust(width) if column.right else part.ljust(width)
            for part, column, width in zip(parts, columns, widths, strict=True)
        ]


def warn(text: str) -> None:
    """A warning on stderr."""
    console = rich_console(sys.stderr)
    if console is None:
        print(f"warning: {text}", file=sys.stderr)
    else:
        console.print(_styled(["warning: ", text], ["yellow bold", ""], gap=""))


@contextlib.contextmanager
def progress_bar(wanted: bool = True) -> Iterator[Progress | None]:
    """A progress bar on stderr while the block runs; None if nobody would see it."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    console = rich_console(sys.stderr)
    with _plain_bar() if console is None else _rich_bar(console) as update:
        yield update


def _count(done: int, total: int | None) -> str:
    # a container may announce fewer frames than it has
    return f"frame {done} of {total}" if total and done <= total else f"frame {done}"


@contextlib.contextmanager
def _rich_bar(console: Any) -> Iterator[Progress]:
    from rich import progress as parts

    bar = parts.Progress(
        parts.SpinnerColumn(),
        parts.BarColumn(bar_width=28),
        parts.TextColumn("{task.description}"),
        parts.TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def update(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total, description=_count(done, total))

        yield update


@contextlib.contextmanager
def _plain_bar() -> Iterator[Progress]:
    longest = 0

    def update(done: int, total: int | None) -> None:
        nonlocal longest
        text = _count(done, total)
        longest = max(longest, len(text))
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()

    try:
        yield update
    finally:
        sys.stderr.write("\r" + " " * longest + "\r")
        sys.stderr.flush()
