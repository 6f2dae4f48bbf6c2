"""Pairs that are scored in one pass: a reference, decoded once, and the videos made of it.

All files are opened and decoded ahead before the first frame is scored, so the next pass can get
ready while one is being scored. Each result equals that of the pair scored alone.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxvqa import _waiting as waiting
from jaxvqa._scoring.auto import sized_for_model
from jaxvqa._scoring.clip import Ahead, ClipPair, open_clips
from jaxvqa._scoring.plan import Plan, make_plan
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.publish import publish
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import Result
from jaxvqa._scoring.run import Run
from jaxvqa._scoring.traffic import Traffic
from jaxvqa.video._decode.open import RawFormat, open_reader
from jaxvqa.video._decode.shared import SharedReader
from jaxvqa.video._errors import VideoError
from jaxvqa.video._inputs import InputOptions
from jaxvqa.video._prefetch import Prefetch

_PLANS = 256
# decoded pairs that wait for the devices, for all pairs of a pass and for each at the least
_DEPTH, _LEAST_DEPTH = 8, 3

Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Task:
    """A pair of files and what to measure."""

    ref: Path
    dis: Path
    request: ScoreRequest


class Plans:
    """Plans by request and form of the clip: each is made and checked once."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, tuple[ScoreRequest, Plan]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, request: ScoreRequest, clip: ClipPair) -> Plan:
        """The plan, checked against the clip."""
        key = id(request), replace(clip.info, ref_path=None, dis_path=None)
        with self._lock:
            if key not in self._known:
                plan = make_plan(sized_for_model(request), clip.info)
                plan.check(clip.example)
                self._known[key] = request, plan  # which keeps the request's id its own
            self._known.move_to_end(key)
            while len(self._known) > _PLANS:
                self._known.popitem(last=False)
            return self._known[key][1]


@dataclass(frozen=True)
class Scored:
    """What became of a pair of a pass.

    Args:
        index: of the pair in the pass.
        result: its result, or None.
        error: why there is none.
        seconds: time spent on it.
    """

    index: int
    result: Result | None
    error: Exception | None
    seconds: float


class Pass:
    """Pairs with one reference, open and being decoded; see `reads_alike`.

    Args:
        tasks: the pairs.
        plans: plans of earlier passes.

    What can't be opened is told by `score`, as is what can't be read.
    """

    def __init__(self, tasks: Sequence[Task], plans: Plans) -> None:
        self._changed = threading.Condition()
        self._failed: list[Scored] = []
        self._members: list[_Member] = []
        self._shared = _share(tasks) if len(tasks) > 1 else None
        depth = max(_LEAST_DEPTH, _DEPTH // len(tasks))
        for index, task in enumerate(tasks):
            began = time.perf_counter()
            opener = _Opener(self._shared)
            ahead = Ahead(depth, self._changed, opener if self._shared else None)
            try:
                self._members.append(_Member(index, task, plans, ahead))
            except Exception as error:
                seconds = time.perf_counter() - began
                self._failed.append(Scored(index, None, error, seconds))
                if self._shared is not None and not opener.used:
                    self._shared.give_up()

    @property
    def decoded(self) -> int | None:
        """Frames of the reference that were decoded for all pairs together, if it is shared."""
        return None if self._shared is None else self._shared.decoded

    def score(
        self,
        traffic: Traffic,
        *,
        devices: Sequence[Any] | None = None,
        store: ProgramStore | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> Iterator[Scored]:
        """The results, each when it is there.

        Args:
            traffic: takes chunks to the devices.
            devices: JAX devices; all of the default backend if None.
            store: keeps compiled programs for later processes.
            progress: called with (frame pairs done, pairs in all or None) of all pairs together.
        """
        yield from self._failed
        live, done = list(self._members), 0
        expected = [member.clip.length for member in live]
        total = None if None in expected else sum(n for n in expected if n is not None)
        while live:
            asked = time.perf_counter()
            member = _first_ready(live, self._changed)
            for other in live:
                other.seconds += (time.perf_counter() - asked) / len(live)
            found = member.step(traffic, devices, store)
            if found is not None:
                live.remove(member)
                yield found
                continue
            done += 1
            if progress is not None:
                progress(done, total)

    def close(self) -> None:
        """Closes all files; safe to repeat."""
        for member in self._members:
            member.close()


class _Opener:
    """Opens a reading of the shared reference, and knows whether it did."""

    def __init__(self, shared: SharedReader | None) -> None:
        self._shared = shared
        self.used = False

    def __call__(self) -> Any:
        assert self._shared is not None
        reading = self._shared.open()
        self.used = True
        return reading


class _Member:
    """One pair of a pass."""

    def __init__(self, index: int, task: Task, plans: Plans, ahead: Ahead) -> None:
        self.index = index
        self.seconds = 0.0
        self._started = time.perf_counter()
        self._task = task
        self._run: Run | None = None
        self._open = contextlib.ExitStack()
        try:
            self._inputs = sized_for_model(task.request).inputs
            opened = open_clips(task.ref, task.dis, self._inputs, ahead)
            self.clip = self._open.enter_context(opened)
            self._plan = plans.of(task.request, self.clip)
            frames = self.clip.read(self._plan.reads_chroma, None)
            assert isinstance(frames, Prefetch)
            self.frames = frames
        except BaseException:
            self.close()
            raise
        self.seconds = time.perf_counter() - self._started

    @property
    def count(self) -> int:
        """Pairs that were scored so far."""
        return 0 if self._run is None else self._run.count

    def step(self, traffic: Traffic, devices: Any, store: ProgramStore | None) -> Scored | None:
        """Scores the next frame pair; at the end gives what became of all."""
        began, result, failed = time.perf_counter(), None, None
        try:
            pair = next(self.frames, None)
            if self._run is None:
                subsample = self._task.request.subsample
                self._run = Run(
                    self._plan, self.clip, subsample=subsample, devices=devices, store=store,
                    traffic=traffic,
                )  # fmt: skip
            if pair is not None:
                self._run.feed(pair)
                return None
            series = self._run.finish()
            self.close()
            result = publish(self._plan, self.clip, series, self._started, self._inputs, store)
        except Exception as error:
            failed = error
            if self._run is not None:
                self._run.drop()
            self.close()
        finally:
            self.seconds += time.perf_counter() - began
        return Scored(self.index, result, failed, self.seconds)

    def close(self) -> None:
        self._open.close()


def _first_ready(members: Sequence[_Member], changed: threading.Condition) -> _Member:
    """Of those whose next frame pair is there, the one that is least far; waits for one."""
    order = sorted(members, key=lambda m: m.count)
    with changed:
        while True:
            for member in order:
                if member.frames.ready:
                    return member
            changed.wait(waiting.TICK)


def reads_alike(request: ScoreRequest) -> tuple[Any, ...]:
    """What a request says of how the reference is read; where it is equal, one pass will do."""
    inputs: InputOptions = request.inputs
    raw = tuple(inputs.raw_format.values())
    return (*raw, inputs.ref_stream, inputs.film_grain, inputs.on_damage != "error")


def _share(tasks: Sequence[Task]) -> SharedReader | None:
    """The reference's one reader; None where each pair has to read it by itself."""
    ref, inputs = tasks[0].ref, tasks[0].request.inputs
    if not os.path.isfile(ref):
        return None
    try:
        reader = open_reader(
            os.fspath(ref),
            RawFormat(**inputs.raw_format),
            inputs.ref_stream,
            inputs.film_grain,
            conceal=inputs.on_damage != "error",
        )
    except (VideoError, OSError):
        return None  # each pair tells the reason itself
    try:
        return SharedReader(reader, len(tasks))
    except ValueError:
        reader.close()
        return None
