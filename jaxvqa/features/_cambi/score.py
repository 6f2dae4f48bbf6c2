"""CAMBI: visibility of banding, the false contours that coarse quantisation leaves in smooth areas.

Looks at luma only, in 10-bit limited range: finds nearly flat areas, and there counts, at five
scales, how often codes a few steps apart meet in a window. Everything up to the counts is integer.

Source: libvmaf f85a853, `cambi.c`. Matches the tool to float32 rounding of the result.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.borders import pad
from jaxvqa._ops.stages import cpu_stage, stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._ops.topk import means_of_largest
from jaxvqa._planes import Planes, as_planes
from jaxvqa._typing import Array, Bool, Float, Integer, Shaped
from jaxvqa.features._cambi.counts import SKIP, Contrast, cut_out, lay_out, response, shelves
from jaxvqa.features._cambi.tables import Geometry, contrasts, geometries
from jaxvqa.features._feature import OLDER_EMITTERS, Feature, Output, Series, check_feature, run
from jaxvqa.features._options import Option, Options

SCALE_WEIGHTS = (16, 8, 4, 2, 1)

# side of the square in which equal neighbours are counted
_FLATNESS_WINDOW = 7

_OPTIONS = (
    Option("cambi_max_val", "max_val", 1000.0, "upper limit of every output", 0.0, 1000.0,
           alias="cmxv"),
    Option("enc_width", "enc_width", 0, "width of the encode before it was scaled up; 0: as given",
           180, 7680, alias="encw"),
    Option("enc_height", "enc_height", 0, "height of the encode before it was scaled up; 0: as "
           "given", 150, 7680, alias="ench"),
    Option("enc_bitdepth", "enc_bitdepth", 0, "bit depth of the encode; 0: as given", 6, 16,
           alias="encbd"),
    Option("src_width", "src_width", 0, "width of the source, for full_ref; 0: as given", 320, 7680,
           alias="srcw"),
    Option("src_height", "src_height", 0, "height of the source, for full_ref; 0: as given", 200,
           4320, alias="srch"),
    Option("window_size", "window_size", 65, "side of the counting window at 3840x2160, 1 degree "
           "of view; smaller pictures get less", 15, 127, alias="ws"),
    Option("topk", "topk", 0.6, "share of pixels, the worst, that count", 0.0001, 1.0,
           alias="topk"),
    Option("cambi_topk", "cambi_topk", 0.6, "the same; used unless topk differs from 0.6", 0.0001,
           1.0, alias="ctpk"),
    Option("tvi_threshold", "tvi_threshold", 0.019, "smallest visible relative luminance step",
           0.0001, 1.0, alias="tvit"),
    Option("cambi_vis_lum_threshold", "vis_lum_threshold", 0.0, "luminance in cd/m2 below which "
           "nothing is visible", 0.0, 300.0, alias="vlt"),
    Option("max_log_contrast", "max_log_contrast", 2, "log2 of the largest code difference "
           "examined", 0, 5, alias="mlc"),
    Option("eotf", "eotf", "bt1886", "transfer function of the display",
           choices=("bt1886", "pq"), alias="eotf"),
    Option("cambi_eotf", "cambi_eotf", "bt1886", "the same; wins over eotf unless it is bt1886",
           choices=("bt1886", "pq"), alias="ceot"),
    Option("cambi_high_res_speedup", "high_res_speedup", 0, "drop every other sample of pictures "
           "from 1080, 1440 or 2160 lines (16:9) up; other values do nothing", 0, 2160,
           alias="hrs"),
    Option("full_ref", "full_ref", False, "also report the reference's banding and the increase"),
)  # fmt: skip


def nearest(x: Shaped[Array, "h w"], height: int, width: int) -> Shaped[Array, "H W"]:
    """Nearest sample, by positions accumulated in float32 as the tool does."""
    for axis, size in ((0, height), (1, width)):
        if x.shape != (height, width):
            x = jnp.take(x, _nearest_index(x.shape[axis], size), axis=axis)
    return x


def _nearest_index(size: int, target: int) -> np.ndarray:
    ratio = np.float32(size) / np.float32(target)
    steps = np.full(target, ratio, np.float32)
    steps[0] = float(ratio / np.float32(2)) - 0.5
    positions = np.cumsum(steps, dtype=np.float32)  # numpy adds one by one, rounding each time
    return (positions.astype(np.float64) + 0.5).astype(np.int32)


def _ten_bits(y: Integer[Array, "h w"], depth: int) -> Integer[Array, "h w"]:
    if depth <= 10:
        return y.astype(jnp.int16) << (10 - depth)
    return ((y.astype(jnp.int32) + (1 << (depth - 11))) >> (depth - 10)).astype(jnp.int16)


def prepare(
    y: Integer[Array, "h w"], depth: int, dither: bool, geometry: Geometry
) -> tuple[Integer[Array, "H W"], Shaped[Array, "H W"]]:
    """10-bit codes and the mask of flat areas, both at the size of the first scale."""
    height, width = geometry.height, geometry.width
    step = 2 if geometry.halved else 1
    # a repeated edge gives the tool's special cases at the last row and column
    codes = _ten_bits(pad(nearest(y, height, width), (0, 2), (0, 2), "edge"), depth)
    if dither:
        # rounding to fewer than 10 bits left steps that the encode did not have: average them out
        codes = (codes[:-1, :-1] + codes[:-1, 1:] + codes[1:, :-1] + codes[1:, 1:]) >> 2
    equal = stage(_equal_neighbours, codes, height=height, width=width)
    counts = stage(_sums_of_seven, equal, axis=0, step=step)
    flat = stage(_flat, counts, step=step, least=_least_flat(height, width))
    return stage(_every, codes[:height, :width], step=step), flat


def _equal_neighbours(
    codes: Integer[Array, "h w"], *, height: int, width: int
) -> Integer[Array, "H W"]:
    """1 where a code equals those to its right and below, else 0; 0 in a border around."""
    here = codes[:height, :width]
    equal = (here == codes[:height, 1 : width + 1]) & (here == codes[1 : height + 1, :width])
    reach = _FLATNESS_WINDOW // 2
    room = jnp.zeros((height + 2 * reach, width + 2 * reach), jnp.uint8)
    return jax.lax.dynamic_update_slice(room, equal.astype(jnp.uint8), (reach, reach))


def _sums_of_seven(x: Integer[Array, "h w"], *, axis: int, step: int) -> Integer[Array, "H W"]:
    """Sum of seven neighbours along an axis, at every `step`-th of those that have seven."""
    end = x.shape[axis] - _FLATNESS_WINDOW + 1
    starts = range(_FLATNESS_WINDOW)
    parts = [jax.lax.slice_in_dim(x, k, k + end, step, axis=axis) for k in starts]
    return functools.reduce(jnp.add, parts)


def _flat(counts: Integer[Array, "h w"], *, step: int, least: int) -> Bool[Array, "h W"]:
    return _sums_of_seven(counts, axis=1, step=step) > least


def _every(x: Shaped[Array, "h w"], *, step: int) -> Shaped[Array, "H W"]:
    return x[::step, ::step]


def _least_flat(height: int, width: int) -> int:
    """How many equal neighbours a 7x7 square must exceed to be flat; grows with the picture."""
    blocks = (width >> 6) * (height >> 6)
    log_size = max(blocks - 1, 0).bit_length()
    return (_FLATNESS_WINDOW**2 + 3 * (log_size - 11) - 1) >> 1


def _mode_filter(x: Integer[Array, "h w"]) -> Integer[Array, "h w"]:
    """The repeated value of each three neighbours, or the least if all differ; rows, then columns.

    The outermost samples keep their values, in the outermost rows those before both passes.
    """
    rows, columns = x.shape
    if rows < 3:
        return x
    across = x.at[:, 1:-1].set(stage(_mode_of_three, x, axis=1)) if columns > 2 else x
    return x.at[1:-1].set(stage(_mode_of_three, across, axis=0))


def _mode_of_three(x: Integer[Array, "h w"], *, axis: int) -> Integer[Array, "H W"]:
    end = x.shape[axis] - 2
    return _mode(*(jax.lax.slice_in_dim(x, k, k + end, axis=axis) for k in range(3)))


def _mode(a: Array, b: Array, c: Array) -> Array:
    least = jnp.minimum(jnp.minimum(a, b), c)
    return jnp.where((a == b) | (a == c), a, jnp.where(b == c, b, least))


def _codes(
    y: Integer[Array, "h w"], depth: int, geometry: Geometry, options: Options
) -> Integer[Array, "H W"]:
    """The codes that take part at the five scales, as the sheet that `banding.response` reads."""
    pictures = cpu_stage(_all_scales, y, depth=depth, geometry=geometry, options=options)
    return lay_out(pictures, geometry.window // 2, SKIP)


def _all_scales(
    y: Integer[Array, "h w"], *, depth: int, geometry: Geometry, options: Options
) -> list[Integer[Array, "_h _w"]]:
    visible = contrasts(options)
    codes, flat = prepare(y, depth, averages(depth, options), geometry)
    pictures = []
    for scale in range(len(SCALE_WEIGHTS)):
        codes = _mode_filter(stage(_every, codes, step=2) if scale else codes)
        takes_part = _every(flat, step=1 << scale) & examined(codes, visible)
        pictures.append(jnp.where(takes_part, codes, SKIP))
    return pictures


def averages(depth: int, options: Options) -> bool:
    """True if neighbours are averaged first: fewer than 10 bits left steps of several codes."""
    return (options.enc_bitdepth or depth) < 10


def examined(codes: Integer[Array, "h w"], visible: Sequence[Contrast]) -> Bool[Array, "h w"]:
    """Codes that some pixel may compare itself with."""
    lowest = min(c.low for c in visible) - len(visible)
    highest = max(c.high for c in visible) + len(visible)
    return (codes >= lowest) & (codes <= highest)


def worst_count(size: int, options: Options) -> int:
    """How many pixels of a picture of `size` pixels count, those with the most banding."""
    share = options.topk if options.topk != 0.6 else options.cambi_topk
    return min(max(int(share * size), 1), size)


def response_bound(geometry: Geometry, options: Options) -> float:
    """No response reaches this: half the window of each of two codes, at the largest weight."""
    return 1.001 * _largest_response(geometry, options)


def _largest_response(geometry: Geometry, options: Options) -> float:
    """Upper bound of a response: half the window of each of two codes, at the largest weight."""
    return contrasts(options)[-1].weight * geometry.window**2 / 4


def _score(
    y: Integer[Array, "h w"], depth: int, geometry: Geometry, options: Options
) -> Float[Array, ""]:
    """Score of one frame without limit, float64."""
    half = geometry.window // 2
    sheet = response(_codes(y, depth, geometry, options), half, contrasts(options))
    shapes = geometry.sizes()
    counts = [worst_count(height * width, options) for height, width in shapes]
    bound = response_bound(geometry, options)
    with jax.enable_x64(True):
        total, first = jnp.float64(0), 0
        # the finest scale apart from the others: it holds most pixels and is often decided at once
        for shelf, owners in shelves(sheet, shapes, half):
            part = slice(first, first + len(owners))
            means = means_of_largest(shelf, owners, counts[part], bound)
            total += (means * np.array(SCALE_WEIGHTS[part], float)).sum()
            first = part.stop
        return total / geometry.window**2


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    encoded, source = geometries(dis.height, dis.width, options)
    top = options.cambi_max_val

    def frame(dis_y: Array, *ref_y: Array) -> dict[str, Array]:
        score = _score(dis_y, dis.depth, encoded, options)
        before = [_score(y, ref.depth, source, options) for y in ref_y]
        with jax.enable_x64(True):
            found = {"cambi": score}
            for other in before:
                found["cambi_source"] = other
                found["cambi_full_reference"] = jnp.maximum(score - other, 0)
            return {k: jnp.minimum(v, top).astype(jnp.float32) for k, v in found.items()}

    return map_frames(frame, dis.y, *([ref.y] if options.full_ref else []))


def _outputs(options: Options) -> tuple[Output, ...]:
    alone = (Output("cambi", "lower", "Cambi_feature_cambi_score"),)
    if not options.full_ref:
        return alone
    names = ("cambi_source", "cambi_full_reference")
    return alone + tuple(Output(n, "lower", n) for n in names)


def _check(ref: Planes, options: Options) -> None:
    geometries(ref.height, ref.width, options)


FEATURE = Feature(
    name="cambi",
    summary="banding of the distorted video (false contours in smooth areas)",
    options=_OPTIONS,
    outputs=_outputs,
    extract=_extract,
    check=_check,
    integer=True,
    differentiable=False,
    cpu_compiler=OLDER_EMITTERS,
)


def cambi(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    max_val: float = 1000.0,
    enc_width: int = 0,
    enc_height: int = 0,
    enc_bitdepth: int = 0,
    src_width: int = 0,
    src_height: int = 0,
    window_size: int = 65,
    topk: float = 0.6,
    cambi_topk: float = 0.6,
    tvi_threshold: float = 0.019,
    vis_lum_threshold: float = 0.0,
    max_log_contrast: int = 2,
    eotf: str = "bt1886",
    cambi_eotf: str = "bt1886",
    high_res_speedup: int = 0,
    full_ref: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Banding, `cambi` of libvmaf.

    Models how visible false contours are: in flat areas it counts, at five scales, how many pixels
    of slightly different codes share a window, weighted by the visibility of the step.

    Args:
        ref: reference, uint8 or uint16 luma code values `(frames, height, width)` or a `Planes`;
            only read with `full_ref`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        max_val: upper limit of every output.
        enc_width: width in samples at which the video was encoded, where it was scaled up
            afterwards; 0 (for this or `enc_height`) means the given size.
        enc_height: height in samples at which the video was encoded.
        enc_bitdepth: bits a sample at which the video was encoded; 0 means the given depth.
        src_width: width in samples of the source, with `full_ref`; 0 means the given size.
        src_height: height in samples of the source.
        window_size: side of the counting window in samples of a 3840x2160 picture.
        topk: share of the pixels, those with the most banding, that is averaged.
        cambi_topk: the same; used unless `topk` differs from 0.6.
        tvi_threshold: smallest visible luminance step, as a share of the luminance.
        vis_lum_threshold: luminance in cd/m2 below which nothing is visible.
        max_log_contrast: log2 of the largest code difference (10-bit codes) examined.
        eotf: transfer function of the display, "bt1886" or "pq".
        cambi_eotf: the same; wins over `eotf` unless it is "bt1886".
        high_res_speedup: 1080, 1440 or 2160: from that picture size up, work at half size.
        full_ref: also examine the reference.
        **options: the same options under libvmaf's names (`cambi_max_val`).

    Returns:
        `{"cambi"}`, `(frames,)`, 0 without banding up to `max_val`; about 5 is where banding
        starts to annoy; lower is better. With `full_ref` also `"cambi_source"`, the same of the
        reference, and `"cambi_full_reference"`, the increase over it.

    Raises:
        ValueError: bad options or sizes. TypeError: samples that are not uint8 or uint16.

    Source: libvmaf f85a853, `cambi.c`. Matches it to float32 rounding.
    """
    given = {
        "max_val": max_val, "enc_width": enc_width, "enc_height": enc_height,
        "enc_bitdepth": enc_bitdepth, "src_width": src_width, "src_height": src_height,
        "window_size": window_size, "topk": topk, "cambi_topk": cambi_topk,
        "tvi_threshold": tvi_threshold, "vis_lum_threshold": vis_lum_threshold,
        "max_log_contrast": max_log_contrast, "eotf": eotf, "cambi_eotf": cambi_eotf,
        "high_res_speedup": high_res_speedup, "full_ref": full_ref,
    }  # fmt: skip
    return run(FEATURE, ref, dis, bit_depth, given, options)


def cambi_heatmaps(
    video: Any, *, bit_depth: int | None = None, coded: bool = False, **options: Any
) -> tuple[Array, ...]:
    """Where `cambi` sees banding: the response of every pixel at the five scales.

    Args:
        video: one video, as `dis` of `cambi`.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        coded: return what libvmaf writes to its heat map files.
        **options: options of `cambi`, under either of their names.

    Returns:
        Five arrays `(frames, height, width)`, finest scale first, each half as large as the one
        before. float32 responses, 0 to `weight * window^2 / 4` with the largest contrast weight;
        with `coded` these mapped to 0..65535 as uint16.

    Raises:
        ValueError: bad options or sizes. TypeError: samples that are not uint8 or uint16.

    Source: libvmaf f85a853, `cambi.c`.
    """
    planes = as_planes("video", video, bit_depth)
    settings = FEATURE.resolve(options)
    check_feature(FEATURE, planes, settings)
    geometry, _ = geometries(planes.height, planes.width, settings)
    scale = 65535.0 / _largest_response(geometry, settings)
    half = geometry.window // 2

    def frame(y: Array) -> tuple[Array, ...]:
        codes = _codes(y, planes.depth, geometry, settings)
        sheet = response(codes, half, contrasts(settings))
        found = cut_out(sheet, geometry.sizes(), half)
        if coded:
            found = [(x * scale).astype(jnp.uint16) for x in found]
        return tuple(found)

    return map_frames(frame, jnp.asarray(planes.y))
