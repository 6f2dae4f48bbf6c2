"""libvmaf's fixed-point `adm`: detail loss (adm2), additive impairment (aim) and their mix (adm3).

Source: libvmaf f85a853, `integer_adm.c` in plain C. Every integer is the same; the final float
arithmetic is float64, rounded to float32 where the tool rounds.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._checks import check_min_size
from jaxvqa._ops.stages import cpu_stage
from jaxvqa._ops.tiling import map_frames
from jaxvqa._planes import Planes, VideoLike
from jaxvqa._typing import Array, Int
from jaxvqa.features._adm import csf
from jaxvqa.features._adm.fixed import coarse_sums, cube_bits, finest_sums, summed
from jaxvqa.features._adm.fixed_wavelet import SCALES, Region, band_sizes, wavelet
from jaxvqa.features._adm.float_adm import FLOAT_ADM
from jaxvqa.features._adm.options import FloatAdmOptions, IntegerAdmOptions, outputs
from jaxvqa.features._feature import (
    XLA_OLDER_EMITTERS,
    XLA_WIDE_VECTORS,
    Feature,
    Series,
    key_of_float_form,
)
from jaxvqa.features._run import documented, run

# three display heights from 1080 rows; the tool refuses anything nearer
_MIN_RESOLUTION = 3.0 * 1080
_WATSON_AT_LEAST = (36453, 36453, 49417)
# of the tool's unsigned variables, by scale
_WEIGHT_BITS = (16, 32, 32, 32)
# the coarsest wavelet step needs five samples; with fewer the tool reads outside its planes
_MIN_SIDE = 33
_CUBE_ROOT = float(np.float32(1.0) / np.float32(3.0))


def _factors(scale: int, options: IntegerAdmOptions) -> tuple[float, float]:
    """Contrast sensitivity of the straight and diagonal bands, as float32 values."""
    display = options.norm_view_dist, options.ref_display_height
    if options.csf_mode == 0:
        return csf.watson(scale, *display)
    if options.csf_mode == 1:
        return csf.barten(scale, *display, options.csf_scale, options.csf_diag_scale)
    straight, diagonal = csf.blend(options.csf_mode, scale, *display)
    return float(np.float32(straight)), float(np.float32(diagonal))


def _weights(scale: int, options: IntegerAdmOptions) -> tuple[int, int, int]:
    """Fixed-point contrast sensitivity by orientation."""
    resolution = options.norm_view_dist * options.ref_display_height
    if scale == 0 and options.csf_mode == 0 and abs(resolution - _MIN_RESOLUTION) < 1e-8:
        return _WATSON_AT_LEAST
    straight, diagonal = _factors(scale, options)
    if scale == 0:
        return int(straight * 2**21), int(straight * 2**21), int(diagonal * 2**23)
    return int(straight * 2**32), int(straight * 2**32), int(diagonal * 2**32)


def _frame_sums(
    ref: Array, dis: Array, options: IntegerAdmOptions, bits: int
) -> Int[Array, "4 3 3"]:
    """Sums of every scale of one frame; zeros for a scale that is left out."""
    sizes = band_sizes(*ref.shape)
    weights = [_weights(scale, options) for scale in range(SCALES)]
    bands, pictures = [], jnp.stack([ref, dis], 1)
    for scale in range(SCALES):
        pictures, details = wavelet(pictures, scale, bits)
        bands.append(details)
    how: Any = {
        "gain": options.enhancement_gain_limit,
        "with_aim": not options.skip_aim,
    }
    finest = None
    if not options.skip_scale0:
        finest = finest_sums(bands[0], size=sizes[0], weights=weights[0], **how)
    coarse = coarse_sums(bands[1:], sizes=sizes[1:], weights=weights[1:], **how)
    return summed([finest, *coarse], sizes)


def _round32(x: Array) -> Array:
    return x.astype(jnp.float32).astype(jnp.float64)


def _pooled(sums: Array, *, height: int, width: int, options: IntegerAdmOptions) -> Array:
    """Cube roots plus noise floor, added over orientations: `(4, 3)`, one number a row of sums.

    float64 that holds float32 values: the tool computes this part in float32.
    """
    units, floors = np.ones((SCALES, 3, 3)), np.zeros((SCALES, 3, 1))
    for scale, size in enumerate(band_sizes(height, width)):
        units[scale] = 0.5 ** cube_bits(scale, size)
        straight, diagonal = (f**3 for f in _factors(scale, options))
        units[scale, 2] *= straight, straight, diagonal
        region = Region.of(*size)
        floor = float(np.float32(region.height * region.width * options.noise_weight))
        floors[scale, [0, 2]] = float(np.float32(floor**_CUBE_ROOT))
    roots = _round32(_round32(sums.astype(jnp.float64) * units) ** _CUBE_ROOT)
    h, v, d = jnp.moveaxis(_round32(roots + floors), -1, 0)
    pooled = _round32(_round32(h + v) + d)
    if options.skip_scale0:
        pooled = pooled.at[0].set(np.array([0.0, 0.0, np.float32(1e-10)], np.float64))
    return pooled


def _scores(sums: Array, height: int, width: int, options: IntegerAdmOptions) -> Series:
    """Published values of a frame from `_frame_sums`."""
    # in one place, because each of the values below needs most of it
    pooled = cpu_stage(_pooled, sums, height=height, width=width, options=options)
    num, aim_num, den = pooled[0] + pooled[1] + pooled[2] + pooled[3]
    limit = 1e-10 * (width * height) / (1920.0 * 1080.0)
    num, den = (jnp.where(x < limit, 0.0, x) for x in (num, den))
    adm2 = _ratio(num, den, 1.0)
    aim = _ratio(aim_num, den, 0.0)
    share = options.dlm_weight
    adm3 = jnp.maximum(adm2 * share + (1.0 - aim) * (1.0 - share), options.min_val)
    series = {"adm2": adm2, "aim": aim, "adm3": adm3, "adm": adm2, "adm_num": num, "adm_den": den}
    for s in range(SCALES):
        scale_num, _, scale_den = pooled[s]
        series[f"adm_scale{s}"] = _ratio(scale_num, scale_den, 1.0)
        series[f"adm_num_scale{s}"] = scale_num
        series[f"adm_den_scale{s}"] = scale_den
    # what no output shows is not compiled
    found = {f"integer_{name}": x.astype(jnp.float32) for name, x in series.items()}
    return {o.name: found[o.name] for o in outputs("integer_", options)}


def _ratio(numerator: Array, denominator: Array, otherwise: float) -> Array:
    empty = denominator == 0
    return jnp.where(empty, otherwise, numerator / jnp.where(empty, 1.0, denominator))


def _extract(ref: Planes, dis: Planes, options: IntegerAdmOptions) -> Series:
    with jax.enable_x64(True):
        sums = map_frames(lambda r, d: _frame_sums(r, d, options, ref.depth), ref.y, dis.y)
        return jax.vmap(lambda s: _scores(s, ref.height, ref.width, options))(sums)


def _check(ref: Planes, options: IntegerAdmOptions) -> None:
    check_min_size("adm", ref.height, ref.width, _MIN_SIDE, _MIN_SIDE)
    distance, rows = options.norm_view_dist, options.ref_display_height
    if distance * rows < _MIN_RESOLUTION:
        raise ValueError(
            "adm needs adm_norm_view_dist * adm_ref_display_height of at least 3240 (1080 rows at "
            f"3 heights), got {distance:g} * {rows} = {distance * rows:g}: use float_adm."
        )
    if options.csf_mode == 1:
        _check_weights(options)
    _factors(0, options)


def _check_weights(options: IntegerAdmOptions) -> None:
    """Refuses what the tool's variables can't hold; only Barten's weights can be that large."""
    used = range(1 if options.skip_scale0 else 0, SCALES)
    unit = options.replace(csf_scale=1.0, csf_diag_scale=1.0)
    for place, name in ((0, "adm_csf_scale"), (2, "adm_csf_diag_scale")):
        for scale in used:
            weight = _weights(scale, options)[place]
            if weight < 1 << _WEIGHT_BITS[scale]:
                continue
            # a hundredth below the limit covers the rounding
            most = min(
                0.99 * (1 << _WEIGHT_BITS[s]) / max(_weights(s, unit)[place], 1) for s in used
            )
            raise ValueError(
                f"adm_csf_mode=1 gives scale {scale} of adm a weight of {weight}, which overflows "
                f"the tool's {_WEIGHT_BITS[scale]} bits: give {name} of at most {most:.3g}, or use "
                "float_adm."
            )


def _twin(key: str, options: IntegerAdmOptions) -> tuple[Feature[Any], str, FloatAdmOptions]:
    """The same output of `float_adm`; tables of sensitivity become explicit factors there."""
    key = key_of_float_form(key)
    if key.startswith("adm_scale"):
        key = f"VMAF_feature_{key}_score"
    settings = options.changed()
    if options.csf_mode in (2, 3):
        del settings["adm_csf_mode"]
        for scale in range(SCALES):
            f1, f2 = csf.blend(
                options.csf_mode, scale, options.norm_view_dist, options.ref_display_height
            )
            settings |= {f"adm_f1s{scale}": f1, f"adm_f2s{scale}": f2}
    return FLOAT_ADM, key, FloatAdmOptions.parse(FLOAT_ADM.name, settings)


ADM = Feature(
    name="adm",
    summary="detail loss and additive impairment in wavelet bands, libvmaf's fixed point",
    options=IntegerAdmOptions,
    outputs=lambda options: outputs("integer_", options),
    extract=_extract,
    check=_check,
    integer=True,
    differentiable=False,
    twin=_twin,
    libvmaf=True,
    cpu_compiler=(*XLA_OLDER_EMITTERS, *XLA_WIDE_VECTORS),
)


@documented(ADM)
def adm_integer(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Detail loss and additive impairment, `adm` of libvmaf, bit for bit.

    Splits the distorted picture's wavelet bands into detail that the reference has too and an
    additive rest, lets each mask the other, and pools what stays visible with a cubic norm.

    {args}

    Returns:
        `integer_adm2` and `integer_adm_scale0` to `3` (1 for no loss, above 1 for enhancement),
        `integer_aim` (0 for no impairment), `integer_adm3` (1 is best), each `(frames,)` float32.
        Where the tool divides 0 by 0 (a flat reference without noise floor) ratios are 1, aim is 0.

    Raises:
        ValueError: bad options or sizes. TypeError: float frames.

    Source: libvmaf f85a853, `integer_adm.c`. All integers equal the plain-C tool's; its AVX2 code
    differs at some widths by up to 1.3e-5. The angle test needs true float64, as on CPU and GPU.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.adm_integer(ref, ref // 2)
        >>> round(float(found["integer_adm2"][0]), 2)
        0.57
    """
    return run(ADM, ref, dis, bit_depth, options)
