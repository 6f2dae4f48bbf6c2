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
from jaxvqa._planes import Planes
from jaxvqa._typing import Array, Int
from jaxvqa.features._adm import csf
from jaxvqa.features._adm.fixed import coarse_sums, cube_bits, finest_sums, summed
from jaxvqa.features._adm.fixed_wavelet import SCALES, Region, band_sizes, wavelet
from jaxvqa.features._adm.options import INTEGER_OPTIONS, outputs
from jaxvqa.features._feature import OLDER_EMITTERS, Feature, Series, run
from jaxvqa.features._options import Options

# three display heights from 1080 rows; anything nearer overflows the tool's 16-bit weights
_LEAST_RESOLUTION = 3.0 * 1080
_WATSON_AT_LEAST = (36453, 36453, 49417)
# the coarsest wavelet step needs five samples; with fewer the tool reads outside its planes
_LEAST_SIZE = 33
_CUBE_ROOT = float(np.float32(1.0) / np.float32(3.0))


def _factors(scale: int, options: Options) -> tuple[float, float]:
    """Contrast sensitivity of the straight and diagonal bands, as float32 values."""
    display = options.adm_norm_view_dist, options.adm_ref_display_height
    if options.adm_csf_mode == 0:
        return csf.watson(scale, *display)
    straight, diagonal = csf.blend(options.adm_csf_mode, scale, *display)
    return float(np.float32(straight)), float(np.float32(diagonal))


def _weights(scale: int, options: Options) -> tuple[int, int, int]:
    """Fixed-point contrast sensitivity by orientation."""
    resolution = options.adm_norm_view_dist * options.adm_ref_display_height
    if scale == 0 and options.adm_csf_mode == 0 and abs(resolution - _LEAST_RESOLUTION) < 1e-8:
        return _WATSON_AT_LEAST
    straight, diagonal = _factors(scale, options)
    if scale == 0:
        return int(straight * 2**21), int(straight * 2**21), int(diagonal * 2**23)
    return int(straight * 2**32), int(straight * 2**32), int(diagonal * 2**32)


def _frame_sums(ref: Array, dis: Array, options: Options, bits: int) -> Int[Array, "4 3 3"]:
    """Sums of every scale of one frame; zeros for a scale that is left out."""
    sizes = band_sizes(*ref.shape)
    weights = [_weights(scale, options) for scale in range(SCALES)]
    bands, pictures = [], jnp.stack([ref, dis], 1)
    for scale in range(SCALES):
        pictures, details = wavelet(pictures, scale, bits)
        bands.append(details)
    how: Any = {
        "gain": options.adm_enhn_gain_limit,
        "with_aim": not options.adm_skip_aim,
    }
    finest = None
    if not options.adm_skip_scale0:
        finest = finest_sums(bands[0], size=sizes[0], weights=weights[0], **how)
    coarse = coarse_sums(bands[1:], sizes=sizes[1:], weights=weights[1:], **how)
    return summed([finest, *coarse], sizes)


def _round32(x: Array) -> Array:
    return x.astype(jnp.float32).astype(jnp.float64)


def _pooled(sums: Array, *, height: int, width: int, options: Options) -> Array:
    """Cube roots plus noise floor, added over orientations: `(4, 3)`, one number a row of sums.

    float64 that holds float32 values: the tool computes this part in float32.
    """
    units, floors = np.ones((SCALES, 3, 3)), np.zeros((SCALES, 3, 1))
    for scale, size in enumerate(band_sizes(height, width)):
        units[scale] = 0.5 ** cube_bits(scale, size)
        straight, diagonal = (f**3 for f in _factors(scale, options))
        units[scale, 2] *= straight, straight, diagonal
        region = Region.of(*size)
        floor = float(np.float32(region.height * region.width * options.adm_noise_weight))
        floors[scale, [0, 2]] = float(np.float32(floor**_CUBE_ROOT))
    roots = _round32(_round32(sums.astype(jnp.float64) * units) ** _CUBE_ROOT)
    h, v, d = jnp.moveaxis(_round32(roots + floors), -1, 0)
    pooled = _round32(_round32(h + v) + d)
    if options.adm_skip_scale0:
        pooled = pooled.at[0].set(np.array([0.0, 0.0, np.float32(1e-10)], np.float64))
    return pooled


def _scores(sums: Array, height: int, width: int, options: Options) -> Series:
    """Published values of a frame from `_frame_sums`."""
    # in one place, because each of the values below needs most of it
    pooled = cpu_stage(_pooled, sums, height=height, width=width, options=options)
    num, aim_num, den = pooled[0] + pooled[1] + pooled[2] + pooled[3]
    limit = 1e-10 * (width * height) / (1920.0 * 1080.0)
    num, den = (jnp.where(x < limit, 0.0, x) for x in (num, den))
    adm2 = _ratio(num, den, 1.0)
    aim = _ratio(aim_num, den, 0.0)
    share = options.adm_dlm_weight
    adm3 = jnp.maximum(adm2 * share + (1.0 - aim) * (1.0 - share), options.adm_min_val)
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


def _extract(ref: Planes, dis: Planes, options: Options) -> Series:
    with jax.enable_x64(True):
        sums = map_frames(lambda r, d: _frame_sums(r, d, options, ref.depth), ref.y, dis.y)
        return jax.vmap(lambda s: _scores(s, ref.height, ref.width, options))(sums)


def _check(ref: Planes, options: Options) -> None:
    check_min_size("adm", ref.height, ref.width, _LEAST_SIZE, _LEAST_SIZE)
    distance, rows = options.adm_norm_view_dist, options.adm_ref_display_height
    if distance * rows < _LEAST_RESOLUTION:
        raise ValueError(
            "adm needs adm_norm_view_dist * adm_ref_display_height of at least 3240 (1080 rows at "
            f"3 heights), got {distance:g} * {rows} = {distance * rows:g}: use float_adm."
        )
    if options.adm_csf_mode == 1:
        raise ValueError(
            "adm can't use adm_csf_mode=1 (Barten): its weights overflow the tool's 16 bits; use "
            "float_adm, or mode 0, 2 or 3."
        )
    _factors(0, options)


FEATURE = Feature(
    name="adm",
    summary="detail loss and additive impairment in wavelet bands, libvmaf's fixed point",
    options=INTEGER_OPTIONS,
    outputs=lambda options: outputs("integer_", options),
    extract=_extract,
    check=_check,
    integer=True,
    differentiable=False,
    cpu_compiler=OLDER_EMITTERS,
)


def adm_integer(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    enhancement_gain_limit: float = 100.0,
    norm_view_dist: float = 3.0,
    ref_display_height: int = 1080,
    csf_mode: int = 0,
    csf_scale: float = 1.0,
    csf_diag_scale: float = 1.0,
    noise_weight: float = 0.03125,
    dlm_weight: float = 0.5,
    min_val: float = 0.0,
    skip_scale0: bool = False,
    skip_aim: bool = False,
    debug: bool = False,
    **options: Any,
) -> dict[str, Array]:
    """Detail loss and additive impairment, `adm` of libvmaf, bit for bit.

    Splits the distorted picture's wavelet bands into detail that the reference has too and an
    additive rest, lets each mask the other, and pools what stays visible with a cubic norm.

    Args:
        ref: reference, luma code values `(frames, height, width)`, uint8 or uint16, or a `Planes`;
            at least 33x33.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless the samples are uint8 or a `Planes`.
        enhancement_gain_limit: limit of the gain credited to enhanced detail, 1 (none) to 100.
        norm_view_dist: viewing distance in display heights, 0.75 to 24.
        ref_display_height: rows of the display, 1 to 4320; times the distance at least 3240.
        csf_mode: contrast sensitivity: 0 Watson, 2 and 3 tables for some displays.
        csf_scale: no effect: libvmaf's mode 1 only, which overflows there and is refused here.
        csf_diag_scale: no effect, as `csf_scale`.
        noise_weight: noise floor added to every pooled band, 0 to 1500.
        dlm_weight: share of adm2 in adm3, 0 to 1.
        min_val: lower limit of adm3, 0 to 1.
        skip_scale0: leave the finest scale out (its score is then 0).
        skip_aim: report 0 for aim and save its time.
        debug: also report numerators and denominators, whole and by scale.
        **options: the same options under libvmaf's names (`adm_csf_mode`).

    Returns:
        `integer_adm2` and `integer_adm_scale0` to `3` (1 for no loss, above 1 for enhancement),
        `integer_aim` (0 for no impairment), `integer_adm3` (1 is best), each `(frames,)` float32.
        Where the tool divides 0 by 0 (a flat reference without noise floor) ratios are 1, aim is 0.

    Raises:
        ValueError: bad options or sizes. TypeError: float frames.

    Source: libvmaf f85a853, `integer_adm.c`. All integers equal the plain-C tool's; its AVX2 code
    differs at some widths by up to 1.3e-5. The angle test needs true float64, as on CPU and GPU.
    """
    given = {
        "enhancement_gain_limit": enhancement_gain_limit, "norm_view_dist": norm_view_dist,
        "ref_display_height": ref_display_height, "csf_mode": csf_mode, "csf_scale": csf_scale,
        "csf_diag_scale": csf_diag_scale, "noise_weight": noise_weight, "dlm_weight": dlm_weight,
        "min_val": min_val, "skip_scale0": skip_scale0, "skip_aim": skip_aim, "debug": debug,
    }  # fmt: skip
    return run(FEATURE, ref, dis, bit_depth, given, options)
