"""`jaxvqa.score`: files or arrays in, a `Result` out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jaxvqa import interrupts
from jaxvqa.checks import one_of
from jaxvqa.features.base import check_feature
from jaxvqa.fusion.model import Collection, Model, with_options
from jaxvqa.fusion.registry import load_request
from jaxvqa.fusion.request import ModelRequest, parse_model_text
from jaxvqa.planes import Planes
from jaxvqa.scoring.auto import choose_model
from jaxvqa.scoring.engine import Engine, chunk_frames
from jaxvqa.scoring.plan import Plan, Planner, Request
from jaxvqa.scoring.result import Notice, Result, Timing
from jaxvqa.scoring.source import Source, is_path, open_arrays, open_files

DEFAULT_MODEL = "vmaf_v0.6.1"
# frames of a device's chunk for a clip that seems to be short
_LEAST_CHUNK = 4
AnyModel = Model | Collection


@interrupts.kept()
def score(
    ref: Any,
    dis: Any,
    *,
    model: Any = DEFAULT_MODEL,
    features: Sequence[str] = (),
    bit_depth: int | None = None,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
    subsample: int = 1,
    frame_count: int | None = None,
    skip_ref: int = 0,
    skip_dis: int = 0,
    on_length_mismatch: str = "error",
    arithmetic: str = "auto",
    promote_to_10bit: bool = False,
    encode_size: tuple[int, int] | None = None,
    encode_bitdepth: int | None = None,
    fps: float | None = None,
    devices: Sequence[Any] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Result:
    """Scores a distorted video against its reference.

    Args:
        ref: reference: a file, a `Planes`, or luma code values `(frames, height, width)`.
        dis: distorted video, the same kind, size and length.
        model: shipped name, file, `Model`, libvmaf's `--model` text, "auto" (a VMAF v1 model chosen
            by size and frame rate), a list of these, or None for features alone.
        features: further features as libvmaf writes them, e.g. "float_vif=vif_kernelscale=0.5".
        bit_depth: bits a sample of float or uint16 arrays, or of raw video.
        width: of raw video.
        height: of raw video.
        pixel_format: of raw video, "420", "422", "444", "400" or FFmpeg's name.
        subsample: score every n-th frame; temporal features still read all frames.
        frame_count: score at most so many frames.
        skip_ref: leave out so many frames at the start of the reference.
        skip_dis: leave out so many frames at the start of the distorted video.
        on_length_mismatch: "error", or "truncate" to score the common part.
        arithmetic: "auto" takes what a model was trained with; "float" replaces the fixed-point
            extractors of integer models by float ones (differentiable, close but not equal).
        promote_to_10bit: multiply 8-bit codes by 4 first; VMAF v1 is meant for 10 bits.
        encode_size: width and height that the distorted video was encoded at, for CAMBI.
        encode_bitdepth: bit depth that it was encoded at, for CAMBI.
        fps: frame rate of array input, for `model="auto"`.
        devices: JAX devices to use; all of the default backend if None.
        progress: called with (frames done, frames in all or None).

    Returns:
        A `Result`: `score`, `frames`, `pooled`, `warnings`.

    Raises:
        ValueError: options, sizes, files or models that don't fit; the message says what to do.
        TypeError: input of a wrong type.
    """
    one_of("arithmetic", arithmetic, ("auto", "float"))
    one_of("on_length_mismatch", on_length_mismatch, ("error", "truncate"))
    if isinstance(subsample, bool) or not isinstance(subsample, int) or subsample < 1:
        raise ValueError(f"subsample must be a whole number of at least 1, got {subsample!r}.")
    if isinstance(features, str):
        features = [features]
    started = time.perf_counter()
    ends = {
        "bit_depth": bit_depth, "skip_ref": skip_ref, "skip_dis": skip_dis,
        "frame_count": frame_count, "on_length_mismatch": on_length_mismatch,
    }  # fmt: skip
    if is_path(ref) and is_path(dis):
        raw = {"width": width, "height": height, "pixel_format": pixel_format}
        opened = open_files(ref, dis, **raw, **ends)  # type: ignore[arg-type]
    elif is_path(ref) or is_path(dis):
        raise TypeError("ref and dis must both be files or both be arrays.")
    else:
        opened = open_arrays(ref, dis, fps=fps, **ends)  # type: ignore[arg-type]
    with opened as source:
        if promote_to_10bit:
            source = _promoted(source)
        overloads = _encode_overloads(encode_size, encode_bitdepth)
        plan, notices = _make_plan(model, features, arithmetic, overloads, source)
        run = _Run(plan, source, subsample, devices, progress)
        series, numbers, waiting = run.all_frames()
        notices += source.notices
    frames = _publish(plan, series)
    notices += _singular(plan, series)
    total = time.perf_counter() - started
    return Result(
        frames=frames,
        frame_numbers=numbers,
        score_names=tuple(use.name for use in plan.models),
        models=tuple(use.model.name or use.name for use in plan.models),
        clip=source.clip,
        notices=tuple(notices + _undefined(frames)),
        timing=Timing(total, waiting, len(numbers) / total),
    )


def _encode_overloads(size: Any, depth: int | None) -> dict[str, dict[str, Any]]:
    """CAMBI's encode-side options from the keyword forms."""
    options: dict[str, Any] = {}
    if size is not None:
        options |= {"enc_width": int(size[0]), "enc_height": int(size[1])}
    if depth is not None:
        options["enc_bitdepth"] = int(depth)
    return {"cambi": options} if options else {}


def _promoted(source: Source) -> Source:
    """The same source with 8-bit codes times 4, as 10-bit video."""
    if source.clip.bit_depth != 8:
        raise ValueError(
            f"promote_to_10bit is for 8-bit video, this has {source.clip.bit_depth} bits: leave it "
            "out."
        )

    def up(planes: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        if any(np.issubdtype(p.dtype, np.floating) for p in planes):
            return tuple(p * p.dtype.type(4) for p in planes)
        return tuple(p.astype(np.uint16) << 2 for p in planes)

    def deeper(p: Any) -> Any:
        dtype = p.dtype if np.issubdtype(p.dtype, np.floating) else np.uint16
        return jax.ShapeDtypeStruct(p.shape, dtype)

    old = source.example
    planes = [None if p is None else deeper(p) for p in (old.y, old.u, old.v)]
    example = Planes(planes[0], planes[1], planes[2], bit_depth=10)
    frames = ((i, up(r), up(d)) for i, r, d in source.frames)
    clip = replace(source.clip, bit_depth=10)
    return replace(source, clip=clip, example=example, frames=frames)


def _as_list(model: Any) -> list[Any]:
    if model is None:
        return []
    return list(model) if isinstance(model, (list, tuple)) else [model]


def _make_plan(
    model: Any, features: Sequence[str], arithmetic: str, overloads: dict[str, dict[str, Any]],
    source: Source,
) -> tuple[Plan, list[Notice]]:  # fmt: skip
    planner = Planner(arithmetic=arithmetic)
    notices: list[Notice] = []
    asked = _as_list(model)
    for item in asked:
        request = ModelRequest("") if isinstance(item, AnyModel) else parse_model_text(str(item))
        if request.source == "auto":
            chosen, notice = choose_model(source.clip)
            request = replace(request, source=chosen)
            notices.append(notice)
        loaded = item if isinstance(item, AnyModel) else load_request(request)
        used = {f.extractor for f in loaded.features}
        applicable = {k: v for k, v in overloads.items() if k in used}
        if applicable:
            loaded = with_options(loaded, applicable)
        # without a model name of its own a single VMAF model reports "vmaf", as the tool does
        default = "vmaf" if _is_vmaf(loaded) else loaded.name
        name = request.name or (default if len(asked) == 1 else loaded.name) or "vmaf"
        planner.add_model(
            loaded,
            name,
            transform=True if request.enable_transform else None,
            clip=not request.disable_clip,
        )
        notices += _model_notices(loaded, source, arithmetic)
    for text in features:
        planner.add_feature(text)
    plan = planner.plan()
    for request in plan.requests:
        check_feature(request.feature, source.example, request.options)
    return plan, notices


def _is_vmaf(model: AnyModel) -> bool:
    return not any(f.extractor.startswith("funque") for f in model.features)


def _model_notices(model: AnyModel, source: Source, arithmetic: str) -> list[Notice]:
    extractors = {f.extractor for f in model.features}
    notices = []
    if arithmetic == "float" and extractors & {"vif", "adm", "motion"}:
        text = (
            f"model {model.name} was trained on fixed-point features and is scored with their "
            "float twins here: expect differences of hundredths of a point, for NEG up to 0.2."
        )
        notices.append(Notice("float-twins", text))
    if "speed_chroma" in extractors and source.clip.bit_depth == 8:
        text = (
            "VMAF v1 is meant to be measured at 10 bits even for 8-bit encodes: --promote-to-10bit "
            "(promote_to_10bit=True) does that exactly."
        )
        notices.append(Notice("v1-bit-depth", text))
    if model.info.direction == "lower":
        text = (
            f"model {model.name} predicts impairment (DMOS): lower scores are better; "
            f"{model.name}_quality is the same turned round, 100 - DMOS."
        )
        notices.append(Notice("lower-is-better", text))
    return notices


class _Run:
    """One pass over a clip: every frame for temporal features, the sampled ones for the rest."""

    def __init__(
        self, plan: Plan, source: Source, subsample: int, devices: Any, progress: Any
    ) -> None:
        self._plan, self._source, self._subsample = plan, source, subsample
        self._progress = progress or (lambda done, total: None)
        devices = list(devices) if devices is not None else jax.local_devices()
        clip, count = source.clip, source.frame_count
        example = source.example
        if not _reads_chroma(plan.requests):
            example = example.luma_only()
        frame_bytes = sum(
            math.prod(p.shape[-2:]) * p.dtype.itemsize for p in jax.tree.leaves(example)
        )
        self._groups = [
            [i for i, r in enumerate(plan.requests) if subsample == 1 or r.before > 0],
            [i for i, r in enumerate(plan.requests) if subsample > 1 and r.before == 0],
        ]
        self._engines = []
        for group, step in zip(self._groups, (1, subsample), strict=True):
            frames = None if count is None else -(-count // step)
            used = devices if frames is None else devices[: max(1, min(len(devices), frames))]
            if frames is None and source.expected_count is not None:
                # a chunk need not be longer than the clip; much shorter only if that is certain
                frames = max(-(-source.expected_count // step), _LEAST_CHUNK * len(used))
            chunk = chunk_frames(frame_bytes, len(used), frames)
            requests = [plan.requests[i] for i in group]
            self._engines.append(Engine(requests, clip.bit_depth, chunk, used))

    def all_frames(self) -> tuple[list[dict[str, np.ndarray]], np.ndarray, float]:
        """Finished series of every request at the sampled frames, their numbers, waiting time."""
        chroma = _reads_chroma(self._plan.requests)
        count, waiting = 0, 0.0
        frames = iter(self._source.frames)
        while True:
            asked = time.perf_counter()
            item = next(frames, None)
            waiting += time.perf_counter() - asked
            if item is None:
                break
            index, ref, dis = item
            if not chroma:
                ref, dis = ref[:1], dis[:1]
            self._engines[0].feed(ref, dis)
            if index % self._subsample == 0:
                self._engines[1].feed(ref, dis)
            count += 1
            self._progress(count, self._source.frame_count)
        numbers = np.arange(0, count, self._subsample)
        return self._finished(numbers), numbers, waiting

    def _finished(self, numbers: np.ndarray) -> list[dict[str, np.ndarray]]:
        finished: list[dict[str, np.ndarray]] = [{} for _ in self._plan.requests]
        for engine, group, sampled in zip(self._engines, self._groups, (False, True), strict=True):
            for i, series in zip(group, engine.finish(), strict=True):
                request = self._plan.requests[i]
                if request.feature.finish is not None:
                    series = request.feature.finish(series, request.options)
                finished[i] = series if sampled else {k: v[numbers] for k, v in series.items()}
        return finished


def _reads_chroma(requests: Sequence[Request]) -> bool:
    return any(r.feature.needs_chroma(r.options) for r in requests)


def _publish(plan: Plan, series: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Everything under its printed name, model scores last."""
    frames: dict[str, np.ndarray] = {}
    by_key = {}
    for request, values in zip(plan.requests, series, strict=True):
        for key, value in request.publish(values).items():
            # two FUNQUE sets share names for different values: the later one is spelt out
            shown = key if key not in frames else f"{request.feature.name}.{key}"
            frames[shown] = np.asarray(value)
        by_key[request.key] = values
    for use in plan.models:
        frames |= use.score(by_key)
        span = use.model.info.score_range
        if use.model.info.direction == "lower" and span is not None:
            # the same prediction read as quality: the range turned round
            frames[f"{use.name}_quality"] = sum(span) - frames[use.name]
    return frames


def _singular(plan: Plan, series: list[dict[str, np.ndarray]]) -> list[Notice]:
    """Says where SpEED is 0 by definition and not because the pictures are alike."""
    notices = []
    for request, values in zip(plan.requests, series, strict=True):
        flags = [np.asarray(v) for name, v in values.items() if "_flag" in name]
        bad = int(np.count_nonzero(np.any(np.stack(flags), axis=0))) if flags else 0
        if bad:
            name = request.feature.name
            text = (
                f"{name} has no usable covariance in {bad} of {len(flags[0])} frames (too few "
                "blocks, or a flat plane): such a plane counts as 0, as in libvmaf."
            )
            notices.append(Notice("speed-singular", text))
    return notices


def _undefined(frames: dict[str, np.ndarray]) -> list[Notice]:
    """Says which outputs have no value on some frames."""
    notices = []
    for name, values in frames.items():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            text = f"{name} is undefined on {bad} of {len(values)} frames and reported as null."
            notices.append(Notice("undefined", text))
    return notices
