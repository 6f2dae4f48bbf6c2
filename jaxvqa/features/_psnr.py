"""Peak signal-to-noise ratio: of code values by plane, and of luma on the 8-bit scale.

Source: libvmaf f85a853, `integer_psnr.c`, `float_psnr.c`, `psnr.c`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.double import in_float64
from jaxvqa._ops.fixed import column_squares, squares_total
from jaxvqa._ops.platforms import choose
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike, libvmaf_chroma_size
from jaxvqa._typing import Array, Float, Integer
from jaxvqa.features._feature import (
    CHROMA_IF_PRESENT,
    LUMA,
    Feature,
    Loss,
    Measurement,
    Output,
    Series,
)
from jaxvqa.features._options import Options, option
from jaxvqa.features._run import documented, run
from jaxvqa.features._wide import in_parts, joined

_PLANES = ("y", "cb", "cr")
# smallest mean squared error that the tool takes the logarithm of; a cap lies below it unless
# `min_sse` raises the cap
_LEAST_ERROR = 1e-16


@dataclass(frozen=True)
class PsnrOptions(Options):
    """Options of `psnr`."""

    enable_chroma: bool = option(
        True, "also measure the chroma planes, where there are any", adds_outputs=True
    )
    enable_mse: bool = option(False, "also report the mean squared error", adds_outputs=True)
    enable_apsnr: bool = option(
        False,
        "also report the PSNR of the whole clip (from its summed error, among its aggregates)",
        adds_outputs=True,
    )
    reduced_hbd_peak: bool = option(
        False, "peak of 255 * 2^(bit depth - 8) in place of 2^(bit depth) - 1"
    )
    min_sse: float = option(
        0.0, "sum of squared errors that the cap stands for; 0: a cap of 6 * bit depth + 12", 0.0
    )


def usual_cap(bit_depth: int) -> float:
    """Cap of PSNR in dB where no option says otherwise."""
    return 6.0 * bit_depth + 12.0


def peak_on_8_bits(bit_depth: int) -> float:
    """The largest code on the 8-bit scale: 255, 255.75, ..."""
    return ((1 << bit_depth) - 1) / (1 << (bit_depth - 8))


def decibels(error: Float[Array, ...], peak: float, cap: float) -> Float[Array, ...]:
    """`10 log10(peak^2 / error)`, at most `cap`; where the cap holds, its gradient is 0."""
    # clipped to what float32 holds
    least = min(peak * peak * 10.0 ** (-cap / 10.0), 1e38)
    capped = error <= least
    # the quotient, not a difference of logarithms: black against white is 0 and not -1e-14
    value = 10.0 * jnp.log10(float(peak) ** 2 / jnp.where(capped, jnp.ones_like(error), error))
    return jnp.where(capped, jnp.full_like(error, cap), value)


def _integer_errors(
    ref: Integer[Array, "frames height width"],
    dis: Integer[Array, "frames height width"],
    bit_depth: int,
) -> tuple[Array, ...]:
    """Squared differences as `column_squares` adds them."""

    def sums(ref: Array, dis: Array) -> tuple[Array, ...]:
        change = (ref.astype(jnp.int32) - dis.astype(jnp.int32)).astype(jnp.uint32)
        return column_squares(change, (1 << bit_depth) - 1)

    return choose(ref, dis, cpu=functools.partial(map_frames, sums), default=sums)


def _are_codes(ref: Array, dis: Array) -> bool:
    return all(jnp.issubdtype(x.dtype, jnp.unsignedinteger) for x in (ref, dis))


def _from_error(ref: Array, dis: Array, bit_depth: int, fn: Any) -> Series:
    """`fn` of the mean squared error of code values, `(frames,)`.

    Integer samples: exact sums, float64 from there on. Float samples keep their precision.
    """
    if _are_codes(ref, dis):
        size = ref.shape[-2] * ref.shape[-1]

        def wide(*sums: Array) -> Series:
            return fn(squares_total(*sums) / size)

        return in_float64(wide, *_integer_errors(ref, dis, bit_depth))
    dtype = jnp.float64 if np.float64 in (ref.dtype, dis.dtype) else jnp.float32
    change = ref.astype(dtype) - dis.astype(dtype)
    # rows first, which keeps float32 sums accurate
    return fn((change * change).mean(-1).mean(-1))


def _peak(bit_depth: int, options: PsnrOptions) -> int:
    return 255 << (bit_depth - 8) if options.reduced_hbd_peak else (1 << bit_depth) - 1


def _size(ref: Planes, plane: str) -> tuple[int, int]:
    return (ref.height, ref.width) if plane == "y" else libvmaf_chroma_size(ref)


@dataclass(frozen=True)
class _Cap:
    """Cap of a plane in dB, for pictures like a reference; equal caps compare equal."""

    plane: str
    options: PsnrOptions

    def __call__(self, ref: Planes) -> float:
        if self.options.min_sse == 0:
            return usual_cap(ref.depth)
        peak, size = _peak(ref.depth, self.options), math.prod(_size(ref, self.plane))
        highest = 10.0 * math.log10(peak * peak / _LEAST_ERROR)
        error = self.options.min_sse / size
        if error < _LEAST_ERROR:  # may be 0
            return highest
        return min(math.ceil(10.0 * math.log10(peak * peak / error)), highest)


def _sides(ref: Planes, dis: Planes, options: PsnrOptions) -> Iterator[tuple[str, Array, Array]]:
    yield "y", ref.y, dis.y
    if options.enable_chroma and ref.u is not None and dis.u is not None:
        height, width = libvmaf_chroma_size(ref)
        for plane, *sides in (("cb", ref.u, dis.u), ("cr", ref.v, dis.v)):
            yield plane, *(x[:, :height, :width] for x in sides)


def _extract(ref: Planes, dis: Planes, options: PsnrOptions) -> Series:
    series: Series = {}
    peak = _peak(ref.depth, options)
    for plane, r, d in _sides(ref, dis, options):
        cap, codes = _Cap(plane, options)(ref), _are_codes(r, d)

        def values(
            error: Array, plane: str = plane, cap: float = cap, codes: bool = codes
        ) -> Series:
            found, name = {f"psnr_{plane}": decibels(error, peak, cap)}, f"mse_{plane}"
            if not (options.enable_mse or options.enable_apsnr):
                return found
            # apsnr near 0 dB needs more digits than float32 has
            return found | (in_parts(name, error) if codes else {name: error})

        series |= _from_error(r, d, ref.depth, values)
        if options.enable_apsnr:
            series[f"pixels_{plane}"] = jnp.full(r.shape[:1], math.prod(r.shape[1:]), jnp.int32)
    return series


def _aggregate(found: Measurement[PsnrOptions]) -> Mapping[str, float]:
    """PSNR of all frames taken together."""
    if not found.options.enable_apsnr:
        return {}
    power = float(_peak(found.bit_depth, found.options)) ** 2
    numbers = {}
    for plane in _PLANES:
        if f"pixels_{plane}" not in found.series:
            continue
        pixels = found.series[f"pixels_{plane}"].sum(dtype=np.float64)
        error = found.series[f"mse_{plane}"].mean(dtype=np.float64)
        cap = math.ceil(10.0 * math.log10(power * pixels * 2.0))
        value = cap if error == 0 else 10.0 * math.log10(power / error)
        numbers[f"apsnr_{plane}"] = float(min(value, cap))
    return numbers


def _outputs(options: PsnrOptions) -> tuple[Output, ...]:
    found = []
    for plane in _PLANES if options.enable_chroma else _PLANES[:1]:
        best = _Cap(plane, options)
        name, chroma = f"psnr_{plane}", plane != "y"
        found.append(Output(name, "higher", best, name, of_chroma=chroma))
        if options.enable_mse:
            name = f"mse_{plane}"
            found.append(Output(name, "lower", 0.0, name, of_chroma=chroma, for_models=False))
    return tuple(found)


_LOSS_RETURNS = (
    "0 for an equal pair and for one whose PSNR is above the cap ({cap}), where the gradient is 0 "
    "too; else how far PSNR lies below the cap, in dB. Lower is better, black against white is the "
    "cap."
)

PSNR = Feature(
    name="psnr",
    summary="peak signal-to-noise ratio of luma and of both chroma planes",
    options=PsnrOptions,
    outputs=_outputs,
    extract=_extract,
    planes=lambda options: CHROMA_IF_PRESENT if options.enable_chroma else LUMA,
    finish=lambda series, options: joined(series),
    aggregate=_aggregate,
    loss=Loss(
        "psnr",
        "PSNR of luma below that of an equal pair: `psnr_y`.",
        value="psnr_y",
        returns=_LOSS_RETURNS.format(cap="60 dB at 8 bits, 72 at 10; `min_sse` moves it"),
    ),
    libvmaf=True,
)


@documented(PSNR)
def psnr(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Peak signal-to-noise ratio of each plane, `psnr` of libvmaf.

    Models no viewer: the mean squared error of code values against the squared peak. Two videos of
    equal PSNR may look very different; it tells small errors apart and whether two files are equal.

    {args}

    Returns:
        `{"psnr_y", "psnr_cb", "psnr_cr"}`, each `(frames,)`, in dB; higher is better. Equal planes
        have the cap (60 dB at 8 bits, 72 at 10), black against white 0. With `enable_mse` also
        `"mse_y"`, `"mse_cb"`, `"mse_cr"`, squared code values, 0 for equal planes. Monochrome
        video has luma's values alone. `jaxvqa.score` gives `apsnr_y`, `apsnr_cb`, `apsnr_cr` in
        `Result.aggregate`.

    Raises:
        ValueError: bad options or shapes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `integer_psnr.c`. Matches it to float32 rounding (a relative 6e-8);
    like it, leaves out the last chroma sample of an odd luma size. Differs in `apsnr_*` of planes
    that are not measured: left out here, not a number there.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.full((1, 16, 16), 100, np.uint8)
        >>> found = jaxvqa.features.psnr(ref, ref + 5)
        >>> round(float(found["psnr_y"][0]), 2)
        34.15
    """
    return run(PSNR, ref, dis, bit_depth, options)


def _extract_float(ref: Planes, dis: Planes, options: Options) -> Series:
    depth = ref.depth
    peak = float((1 << depth) - 1)

    def value(error: Array) -> Series:
        return {"float_psnr": decibels(error, peak, usual_cap(depth))}

    # the ratio to the peak is the same on the 8-bit scale
    return _from_error(ref.y, dis.y, depth, value)


def _float_cap(ref: Planes) -> float:
    return usual_cap(ref.depth)


FLOAT_PSNR = Feature(
    name="float_psnr",
    summary="peak signal-to-noise ratio of luma on the 8-bit scale",
    outputs=lambda options: (Output("float_psnr", "higher", _float_cap, "float_psnr"),),
    extract=_extract_float,
    loss=Loss(
        "float_psnr",
        "PSNR of luma below that of an equal pair: `float_psnr`.",
        value="float_psnr",
        returns=_LOSS_RETURNS.format(cap="60 dB at 8 bits, 72 at 10"),
    ),
    libvmaf=True,
)


@documented(FLOAT_PSNR)
def float_psnr(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Peak signal-to-noise ratio of luma, `float_psnr` of libvmaf.

    Models no viewer. It is `psnr_y` of `psnr`, which has options: libvmaf computes this one from
    float samples, and the ratio is the same.

    {args}

    Returns:
        `{"float_psnr"}`, `(frames,)`, in dB; higher is better. Equal frames have the cap (60 dB at
        8 bits, 72 at 10), black against white is 0.

    Raises:
        ValueError: bad options or shapes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_psnr.c`. Matches it to float32 rounding (a relative 6e-8).

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.full((1, 16, 16), 100, np.uint8)
        >>> found = jaxvqa.features.float_psnr(ref, ref + 5)
        >>> round(float(found["float_psnr"][0]), 2)
        34.15
    """
    return run(FLOAT_PSNR, ref, dis, bit_depth, options)
