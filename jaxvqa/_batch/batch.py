"""`jaxvqa.batch`: a manifest in, rows out, and a folder that says what is done."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from jaxvqa._batch.entry import row_of, tag_columns
from jaxvqa._batch.errors import unwritable
from jaxvqa._batch.frames import FOLDER
from jaxvqa._batch.job import Job, Manifest
from jaxvqa._batch.keys import Keys
from jaxvqa._batch.ledger import Ledger, shard_suffix
from jaxvqa._batch.local import LocalRun
from jaxvqa._batch.manifest import Rows, load_manifest
from jaxvqa._batch.order import plan_passes
from jaxvqa._batch.progress import BatchProgress, BatchProgressFn, WorkerState
from jaxvqa._batch.ray_run import RayRun, checked_runner
from jaxvqa._batch.scorer import Keyed, Scorer
from jaxvqa._batch.scratch import LIMIT, Scratch, is_object
from jaxvqa._batch.table import Table
from jaxvqa._drafts import remove_left
from jaxvqa._optional import require
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.together import Plans
from jaxvqa._settings import split_settings, with_settings
from jaxvqa.video._inputs import InputOptions

_STALE = 3600.0  # seconds after which a file that is being written is left over


@dataclass(frozen=True)
class BatchOptions:
    """How a batch runs; see `batch`."""

    jobs: int | None = None
    devices: Sequence[Any] | None = None
    cache: str | os.PathLike[str] | None = None
    shard: tuple[int, int] | None = None
    strict: bool = False
    retry_failed: bool = False
    fail_fast: bool = False
    timing: bool = True
    scratch: str | os.PathLike[str] | None = None
    scratch_limit: int = LIMIT
    progress: BatchProgressFn | None = None
    runner: str | None = None


@with_settings(ScoreRequest, InputOptions)
def batch(
    manifest: Rows,
    out: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    devices: Sequence[Any] | None = None,
    cache: str | os.PathLike[str] | None = None,
    shard: tuple[int, int] | None = None,
    strict: bool = False,
    retry_failed: bool = False,
    fail_fast: bool = False,
    timing: bool = True,
    scratch: str | os.PathLike[str] | None = None,
    scratch_limit: int = LIMIT,
    progress: BatchProgressFn | None = None,
    runner: str | None = None,
    **options: Any,
) -> Generator[dict[str, Any]]:
    """Scores the pairs of a manifest, those that are not done yet, and writes one table.

    The folder `out` keeps what is done: a ledger of one line per job, values of every frame, and at
    the end `table.csv` and `table.parquet`. A call that is ended at any moment goes on from there
    when it is made again; a job whose videos, options, model files or library have changed since
    is done anew. A job that fails is a row with the sentence that says why.

    Args:
        manifest: a CSV, JSON or Parquet file, or rows as dictionaries: `ref`, `dis`, perhaps
            `id` and any of the options below; other columns are kept as tags.
        out: the folder; made if it is missing.
        {settings}
        jobs: workers on the processor; on other devices there is one for each.
        devices: JAX devices to use; all of the default backend if None.
        cache: folder to keep compiled programs in; None for this process only.
        shard: (i, n) does the i-th of n parts of the manifest, counted from 1.
        strict: tell changed videos by their contents instead of size and time.
        retry_failed: try jobs again that failed before.
        fail_fast: end with the first job that fails.
        timing: False leaves the seconds out of the table, so that equal runs give equal bytes.
        scratch: folder for copies of videos that are elsewhere; the system's if None.
        scratch_limit: bytes that these may take.
        progress: called with a `BatchProgress` several times a second.
        runner: "ray" for actors of Ray, of the cluster that RAY_ADDRESS names or one on this
            machine; "ray://HOST:PORT" for that cluster. All hosts share `out`. None for workers of
            this process.
        **options: the options above, for rows that do not give them.

    Yields:
        Rows as dictionaries, those done before in the manifest's order, then the others as they
        end. After the last the table is there. Nothing is done before the first is asked for.

    Raises:
        ValueError: a manifest that can't be followed, or a folder that another process writes.
        TypeError: an option that doesn't exist.
        OutputError: a full disk, or a folder that can't be written.

    Example:
        >>> import jaxvqa, numpy as np
        >>> from jaxvqa.video import VideoInfo, write_y4m
        >>> noise = np.random.default_rng(0).integers(0, 256, (3, 48, 64), np.uint8)
        >>> for i, name in enumerate(["ref.y4m", "dis.y4m"]):
        ...     _ = write_y4m(name, [(noise[i],)], VideoInfo(name, 64, 48, 8, "400"))
        >>> manifest = [{"ref": "ref.y4m", "dis": "dis.y4m", "crf": 30}]
        >>> rows = list(jaxvqa.batch(manifest, "results", model=None, features=["psnr"]))
        >>> [(row["crf"], row["status"], row["psnr_y_mean"] < 10) for row in rows]
        [(30, 'done', True)]
    """
    split_settings(options, ScoreRequest, InputOptions)
    how = BatchOptions(
        jobs, devices, cache, shard, strict, retry_failed, fail_fast, timing, scratch,
        scratch_limit, progress, runner,
    )  # fmt: skip
    return run_batch(load_manifest(manifest, options), out, how)


def run_batch(
    manifest: Manifest,
    out: str | os.PathLike[str],
    how: BatchOptions,
) -> Generator[dict[str, Any]]:
    """`batch` of a manifest that was read already.

    Args:
        manifest: the jobs.
        out: the folder.
        how: how it runs.
    """
    if how.runner is not None:
        try:
            checked_runner(how.runner)
        except ValueError as error:
            raise ValueError(f"runner {error}") from None
    require("pyarrow.parquet", "a batch", "batch")
    if any(is_object(path) for job in manifest.jobs for path in (job.ref, job.dis)):
        require("fsspec", "reading addresses in a batch", "batch")
    chosen = part_of(manifest.jobs, how.shard)
    keys = Keys(how.strict)
    keyed = [(job, keys.of(job)) for job in chosen]
    return _Batch(manifest, keyed, _folder(out), how).rows()


def part_of(jobs: Sequence[Job], shard: tuple[int, int] | None) -> Sequence[Job]:
    """A shard's jobs: parts of equal size that keep the jobs of a reference together."""
    if shard is None:
        return jobs
    number, count = shard
    if not 1 <= number <= count:
        raise ValueError(f"shard must be I/N with I from 1 to N, got {number}/{count}.")
    first: dict[str, int] = {}
    for i, job in enumerate(jobs):
        first.setdefault(job.ref, i)
    ordered = sorted(range(len(jobs)), key=lambda i: (first[jobs[i].ref], i))
    begin, end = (len(jobs) * n // count for n in (number - 1, number))
    return [jobs[i] for i in sorted(ordered[begin:end])]


def _folder(out: str | os.PathLike[str]) -> Path:
    folder = Path(out)
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


class _Batch:
    def __init__(
        self,
        manifest: Manifest,
        keyed: Sequence[Keyed],
        folder: Path,
        how: BatchOptions,
    ) -> None:
        self._manifest, self._keyed, self._folder, self._how = manifest, keyed, folder, how
        self._tags = tag_columns(manifest.tags, manifest.options)
        self._jobs = {key: job for job, key in keyed}
        self._done = self._failed = self._before = 0
        self._began = time.perf_counter()

    def rows(self) -> Generator[dict[str, Any]]:
        """See `batch`."""
        with contextlib.ExitStack() as open_, Ledger(self._folder, self._how.shard) as ledger:
            self._tidy()
            pending = []
            for job, key in self._keyed:
                place = ledger.places.get(key)
                if place is None or (not place.done and self._how.retry_failed):
                    pending.append((job, key))
                    continue
                self._before += 1
                entry = ledger.entry(key)
                assert entry is not None
                yield row_of(job, entry, self._tags)
            if pending:
                passes = plan_passes(pending)
                scratch = Scratch(self._how.scratch, self._how.scratch_limit)
                open_.callback(scratch.close)
                make = self._ray if self._how.runner else self._local
                yield from self._followed(make(passes, ledger, scratch))
                tried = self._before + self._done + self._failed
                if self._how.fail_fast and self._failed and tried < len(self._keyed):
                    return
            self._write_table(ledger)

    def _tidy(self) -> None:
        """Removes what killed runs left; another shard may be writing just now."""
        age = 0.0 if self._how.shard is None else _STALE
        for folder in (self._folder, self._folder / FOLDER):
            remove_left(folder, age)

    def _local(self, passes: Any, ledger: Ledger, scratch: Scratch) -> LocalRun:
        store = None if self._how.cache is None else ProgramStore(self._how.cache)
        plans = Plans()
        scorers = [
            (name, Scorer(self._folder, plans, scratch, devices=devices, store=store))
            for name, devices in worker_devices(self._how.devices, self._how.jobs)
        ]

        return LocalRun(passes, scorers, self._appender(ledger), plans, scratch)

    def _ray(self, passes: Any, ledger: Ledger, scratch: Scratch) -> RayRun:
        del scratch  # each actor has its own, on its host
        how = self._how
        address = None if how.runner == "ray" else how.runner
        return RayRun(
            passes, self._folder, f"tries{shard_suffix(how.shard)}", self._appender(ledger),
            address=address, actors=how.jobs, cache=_text(how.cache), scratch=_text(how.scratch),
            scratch_limit=how.scratch_limit,
        )  # fmt: skip

    def _appender(self, ledger: Ledger) -> Callable[[dict[str, Any]], None]:
        def append(entry: dict[str, Any]) -> None:
            try:
                ledger.append(entry)
            except OSError as error:
                raise unwritable(self._folder, error) from error

        return append

    def _followed(self, run: Any) -> Generator[dict[str, Any]]:
        """Rows of what a run does, with its progress told."""
        with contextlib.closing(run.outcomes()) as outcomes:
            for entry in outcomes:
                row = None
                if entry is not None:
                    self._done += entry["status"] == "done"
                    self._failed += entry["status"] != "done"
                    row = row_of(self._jobs[entry["key"]], entry, self._tags)
                self._tell(run.frames, run.states, row)
                if row is not None:
                    yield row
                    if self._how.fail_fast and self._failed:
                        return

    def _tell(self, frames: int, states: Sequence[WorkerState], row: dict | None) -> None:
        if self._how.progress is not None:
            seconds = time.perf_counter() - self._began
            state = BatchProgress(
                len(self._keyed), self._before, self._done, self._failed, frames, seconds,
                tuple(states), row,
            )  # fmt: skip
            self._how.progress(state)

    def _write_table(self, ledger: Ledger) -> None:
        table = Table(self._manifest, self._keyed, ledger, timing=self._how.timing)
        try:
            table.write(self._folder, self._how.shard)
        except OSError as error:
            raise unwritable(self._folder, error) from error


def _text(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.path.abspath(path)


def worker_devices(
    devices: Sequence[Any] | None, jobs: int | None
) -> list[tuple[str, Sequence[Any]]]:
    """Names of the workers and the devices of each.

    One for each accelerator. The processor's devices are shared out among `jobs` workers.
    """
    found = list(jax.local_devices() if devices is None else devices)
    if found[0].platform != "cpu":
        return [(f"{device.platform}:{device.id}", [device]) for device in found]
    count = jobs or 1
    shares = [found[i::count] or [found[i % len(found)]] for i in range(count)]
    return [(f"cpu:{i}", share) for i, share in enumerate(shares)]
