"""The progress of a batch: live on a terminal, a line per job elsewhere."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

from jaxvqa._batch.progress import BatchProgress, WorkerState
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.terminal import print_styled, rich_console

_SECONDS = 0.2  # between two pictures of a terminal
_MOST_WORKERS = 16  # lines

Show = Callable[[BatchProgress], None]


@contextlib.contextmanager
def shown_progress(quiet: bool) -> Iterator[Show | None]:
    """What shows progress on stderr while the block runs; None for nothing but failures."""
    console = None if quiet else rich_console(sys.stderr)
    if quiet:
        yield _failures
    elif console is None:
        yield _line
    else:
        with _live(console) as show:
            yield show


def _failures(state: BatchProgress) -> None:
    if state.row is not None and state.row["status"] != "done":
        print_styled(_of_the_row(state.row), "", sys.stderr)


def _line(state: BatchProgress) -> None:
    """A line for each job that has ended."""
    if state.row is not None:
        tried = state.before + state.done + state.failed
        print_styled(f"[{tried}/{state.total}] {_of_the_row(state.row)}", "", sys.stderr)
        sys.stderr.flush()


def _of_the_row(row: dict[str, Any]) -> str:
    if row["status"] != "done":
        return f"{row['id']}: failed: {as_flags(row['error'])}"
    # before its counts a row has tags, whose names may be those of scores
    scores = itertools.dropwhile(lambda item: item[0] != "frames", row.items())
    score = next(((k, v) for k, v in scores if k.endswith("_mean")), None)
    told = "" if score is None or score[1] is None else f"{score[0]} {score[1]:.3f}, "
    return f"{row['id']}: {told}{row['frames']} frames, {row['seconds']:.2f} s"


@contextlib.contextmanager
def _live(console: Any) -> Iterator[Show]:
    from rich.live import Live

    with Live(console=console, refresh_per_second=1 / _SECONDS, transient=True) as live:

        def show(state: BatchProgress) -> None:
            if state.row is not None and state.row["status"] != "done":
                live.console.print(_of_the_row(state.row), style="red", markup=False)
            live.update(_picture(state))

        yield show


def _picture(state: BatchProgress) -> Any:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    tried = state.before + state.done + state.failed
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(state.total, tried, width=28),
        Text(
            f"{tried} of {state.total} jobs"
            + (f", {state.failed} failed" if state.failed else "")
            + f", {state.fps:.0f} frames/s"
            + ("" if state.left is None else f", {_duration(state.left)} left")
        ),
    )
    workers = Table.grid(padding=(0, 1))
    for worker in state.workers[:_MOST_WORKERS]:
        workers.add_row(
            Text(worker.name, style="dim"), Text(_doing(worker), no_wrap=True, overflow="ellipsis")
        )
    return Group(head, workers)


def _doing(worker: WorkerState) -> str:
    if worker.job is None:
        return "waiting"
    more = f" and {worker.jobs - 1} more" if worker.jobs > 1 else ""
    known = worker.expected and worker.frames <= worker.expected
    of = f" of {worker.expected}" if known else ""
    return f"{worker.job}{more}: frame {worker.frames}{of}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
