"""`jaxvqa.score`: files or arrays in, a `Result` out."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from jaxvqa import _interrupts as interrupts
from jaxvqa._planes import VideoLike
from jaxvqa._scoring.auto import sized_for_model
from jaxvqa._scoring.clip import open_clips
from jaxvqa._scoring.plan import make_plan
from jaxvqa._scoring.program_store import ProgramStore
from jaxvqa._scoring.publish import publish
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import Result
from jaxvqa._scoring.run import Progress, run
from jaxvqa._settings import with_settings
from jaxvqa.video._inputs import InputOptions

Video = VideoLike | str | os.PathLike[str]


@with_settings(ScoreRequest, InputOptions)
def score(
    ref: Video,
    dis: Video,
    *,
    devices: Sequence[Any] | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Scores a distorted video against its reference.

    Args:
        ref: reference: a file, a `Planes`, or luma code values `(frames, height, width)`.
        dis: distorted video, the same kind; arrays have the same size and length, files that
            differ are made alike.
        {settings}
        devices: JAX devices to use; all of the default backend if None.
        cache: folder to keep compiled programs in, so that later processes need not compile; None
            for this process only. While JAX's own cache is on, nothing is added to the folder.
        progress: called with (frames done, about how many there are or None).
        **options: the options above.

    Returns:
        A `Result`: `score`, `frames`, `pooled`, `warnings`.

    Raises:
        ValueError: options, sizes, files or models that don't fit; the message says what to do.
        TypeError: input of a wrong type, or an option that doesn't exist.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
        >>> result = jaxvqa.score(ref, ref, model=None, features=["float_vif"])
        >>> sorted(result.frames)
        ['vif_scale0', 'vif_scale1', 'vif_scale2', 'vif_scale3']
    """
    request = ScoreRequest.of(**options)
    return score_request(ref, dis, request, devices=devices, cache=cache, progress=progress)


@interrupts.kept()
def score_request(
    ref: Video,
    dis: Video,
    request: ScoreRequest,
    *,
    devices: Sequence[Any] | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Result:
    """`score` of a request that exists already."""
    started = time.perf_counter()
    request = sized_for_model(request)
    store = None if cache is None else ProgramStore(cache)
    with open_clips(ref, dis, request.inputs) as clip:
        plan = make_plan(request, clip.info)
        plan.check(clip.example)
        series = run(
            plan, clip, subsample=request.subsample, devices=devices, progress=progress, store=store
        )
    return publish(plan, clip, series, started, request.inputs, store)
