"""Float ADM: detail loss (adm2), additive impairment (aim) and their blend (adm3).

Source: libvmaf f85a853, `float_adm.c`, `adm.c`, `adm_tools.h`; after Li, Zhang, Ma and Ngan, "Image
quality assessment by separately evaluating detail losses and additive impairments", IEEE TMM 13(5),
2011. Matches the tool within 5e-5 on compressed video. Sharpening puts many samples near the
threshold of the angle test, where float32 rounding decides: up to 1.5e-3 in adm2 and 4e-3 at one
scale; docs/metrics.md says which side float64 is on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._checks import check_min_size
from jaxvqa._ops import safe
from jaxvqa._ops.borders import pad
from jaxvqa._ops.stages import row_sums, stage
from jaxvqa._ops.tiling import map_frames, map_rows
from jaxvqa._planes import Planes, VideoLike, to_float
from jaxvqa._typing import Array, Float, Num
from jaxvqa.features._adm import csf, plain
from jaxvqa.features._adm.daubechies import Bands, pad_for_transform, transform_rows
from jaxvqa.features._adm.options import FloatAdmOptions, outputs
from jaxvqa.features._feature import Feature, Loss, Series, Trainable
from jaxvqa.features._options import check_defaults
from jaxvqa.features._run import documented, run

SCALES = 4
_COS_SQUARED = math.cos(math.pi / 180.0) ** 2
_EMPTY_DENOMINATOR = 1e-10


def csf_factors(scale: int, options: FloatAdmOptions) -> tuple[float, float]:
    """Contrast sensitivity of one scale: for the h and v bands, and for the diagonal band."""
    geometry = (options.norm_view_dist, options.ref_display_height)
    if options.csf_mode == 1:
        factors = csf.barten(scale, *geometry, options.csf_scale, options.csf_diag_scale)
    elif options.csf_mode == 2:
        factors = csf.native(scale, *geometry)
    else:
        factors = csf.watson(scale, *geometry)
    given = (getattr(options, f"f1s{scale}"), getattr(options, f"f2s{scale}"))
    return tuple(g if g >= 0 else f for g, f in zip(given, factors, strict=True))  # type: ignore


def crop_margin(size: int) -> int:
    """Rows or columns left out of the pooling on each side of a band."""
    return max(int(size * 0.1 - 0.5), 0)


def decouple(
    ref: tuple[Array, ...], dis: tuple[Array, ...], gain_limit: float
) -> tuple[list[Array], list[Array]]:
    """Splits the distorted details into what is left of the reference's and what was added.

    Args:
        ref: the reference's h, v and d bands.
        dis: the distorted picture's.
        gain_limit: largest factor by which details that point the same way count as restored.

    Returns:
        The restored and the additive bands.
    """
    (ref_h, ref_v, _), (dis_h, dis_v, _) = ref, dis
    dot = ref_h * dis_h + ref_v * dis_v
    norms = (ref_h * ref_h + ref_v * ref_v) * (dis_h * dis_h + dis_v * dis_v)
    aligned = (dot >= 0) & (dot * dot >= _COS_SQUARED * norms)
    restored = []
    for r, d in zip(ref, dis, strict=True):
        # clip(d / r, 0, 1) * r without the division
        kept = jnp.clip(d, jnp.minimum(r, 0.0), jnp.maximum(r, 0.0))
        raised = jnp.where(
            kept > 0,
            jnp.minimum(kept * gain_limit, d),
            jnp.where(kept < 0, jnp.maximum(kept * gain_limit, d), kept),
        )
        restored.append(jnp.where(aligned, raised, kept))
    return restored, [d - r for d, r in zip(dis, restored, strict=True)]


def _weighted(bands: list[Array], factors: tuple[float, ...]) -> Array:
    """What the bands contribute to masking at one sample, a thirtieth of it."""
    total = None
    for band, factor in zip(bands, factors, strict=True):
        weighted = jnp.abs(band) * (abs(factor) / 30.0)
        total = weighted if total is None else total + weighted
    assert total is not None
    return total


def _threshold(weighted: Array) -> Array:
    """Masking threshold: the 8 neighbours, and the sample itself twice."""
    return stage(_boxes, stage(_columns, weighted), weighted)


def _columns(x: Array) -> Array:
    return x[:-2] + x[1:-1] + x[2:]


def _boxes(columns: Array, centre: Array) -> Array:
    return columns[:, :-2] + columns[:, 1:-1] + columns[:, 2:] + centre[1:-1, 1:-1]


def _split(*bands: Array, factors: tuple[float, ...], gain: float) -> tuple[Array, ...]:
    """Restored bands, additive bands, and what each three contribute to masking the others."""
    restored, additive = decouple(bands[:3], bands[3:], gain)
    return *restored, *additive, _weighted(additive, factors), _weighted(restored, factors)


def _excess(band: Array, threshold: Array, *, factor: float, power: float) -> Array:
    x = jnp.maximum(jnp.abs(band[1:-1, 1:-1]) * abs(factor) - threshold, 0.0)
    return x * x * x if power == 3.0 else safe.power(x, power)


def _pooled_rows(
    ref: Bands, dis: Bands, factors: tuple[float, ...], options: FloatAdmOptions
) -> Array:
    """Row sums of the three pooled quantities and bands: `(rows, 9)`, inputs one sample wider."""
    details, gain = (ref.h, ref.v, ref.d), options.enhancement_gain_limit
    parts = stage(_split, *details, dis.h, dis.v, dis.d, factors=factors, gain=gain)
    *parts, mask_restored, mask_additive = parts
    if options.bypass_cm == 1:
        mask_restored, mask_additive = jnp.zeros_like(mask_restored), jnp.zeros_like(mask_additive)
    mask_restored, mask_additive = _threshold(mask_restored), _threshold(mask_additive)
    unmasked = jnp.zeros((1, 1), ref.h.dtype)
    sums = []
    for kept, added, whole, factor in zip(parts[:3], parts[3:], details, factors, strict=True):
        pairs = (kept, mask_restored), (added, mask_additive), (whole, unmasked)
        term = functools.partial(row_sums, _excess, factor=factor, power=options.p_norm)
        sums += [term(*pair) for pair in pairs]
    return jnp.stack(sums, axis=-1)


def _pooled_columns(width: int) -> tuple[int, int]:
    """Columns of a band that pooling looks at: its part of the band, one more on either side."""
    left = crop_margin(width)
    return max(left - 1, 0), min(width - left + 1, width)


def _scale(ref: Bands, dis: Bands, scale: int, options: FloatAdmOptions) -> tuple[Array, ...]:
    """Numerator, impairment and denominator of one scale."""
    f1, f2 = csf_factors(scale, options)
    factors = (f1, f1, f2)
    height, width = ref.a.shape
    top, left = crop_margin(height), crop_margin(width)
    tall, wide = height - 2 * top, width - 2 * left
    details = (*ref[1:], *dis[1:])
    if top == 0 or left == 0:
        above, beside = ((1, 1) if margin == 0 else (0, 0) for margin in (top, left))
        details = tuple(pad(x, above, beside, "reflect", "symmetric") for x in details)

    def rows(*strips: Array) -> Array:
        return _pooled_rows(
            Bands(strips[0], *strips[:3]), Bands(strips[3], *strips[3:]), factors, options
        )

    sums = map_rows(rows, details, height=tall, halo=2, first=max(top - 1, 0)).sum(0)
    power = options.p_norm
    roots = safe.power(sums, 1.0 / power).reshape(3, 3).sum(0)
    noise = 3.0 * (tall * wide * options.noise_weight) ** (1.0 / power)
    return roots[0] + noise, roots[1], roots[2] + noise


def _transform(x: Num[Array, "h w"], bit_depth: int) -> Bands:
    """All of the approximation; of the details, the columns that are pooled."""
    height, width = (-(-n // 2) for n in x.shape)

    def rows(strip: Array) -> Bands:
        if not jnp.issubdtype(strip.dtype, jnp.floating):
            strip = to_float(strip, bit_depth, offset=-128.0)
        return transform_rows(strip, _pooled_columns(width))

    return map_rows(rows, (pad_for_transform(x),), height=height, halo=2, stride=2)


def _frame(
    ref: Num[Array, "h w"], dis: Num[Array, "h w"], options: FloatAdmOptions, bit_depth: int
) -> Float[Array, "4 3"]:
    if jnp.issubdtype(ref.dtype, jnp.floating):
        ref, dis = (to_float(x, bit_depth, offset=-128.0) for x in (ref, dis))
    result = []
    for scale in range(SCALES):
        bands_r, bands_d = _transform(ref, bit_depth), _transform(dis, bit_depth)
        ref, dis = bands_r.a, bands_d.a
        if scale == 0 and options.skip_scale0:
            zero = jnp.zeros((), ref.dtype)
            result.append((zero, zero, zero + _EMPTY_DENOMINATOR))
        else:
            result.append(_scale(bands_r, bands_d, scale, options))
    return jnp.stack([jnp.stack(r) for r in result])


def combine(adm2: Array, aim: Array, options: FloatAdmOptions) -> Array:
    """adm3 from detail loss and impairment."""
    if options.adm3_apply_hm:
        mixed = safe.divide(2.0 * adm2 * aim, adm2 + aim)
    else:
        weight = options.dlm_weight
        mixed = weight * adm2 + (1.0 - weight) * (1.0 - aim)
    return jnp.maximum(mixed, options.min_val)


def _extract(ref: Planes, dis: Planes, options: FloatAdmOptions) -> Series:
    parts = map_frames(lambda r, d: _frame(r, d, options, ref.depth), ref.y, dis.y)
    num, impairment, den = parts[..., 0], parts[..., 1], parts[..., 2]
    least = 1e-10 * ref.width * ref.height / (1920.0 * 1080.0)
    total_num, total_den = num.sum(-1), den.sum(-1)
    total_num = jnp.where(total_num < least, 0.0, total_num)
    total_den = jnp.where(total_den < least, 0.0, total_den)
    adm2 = safe.divide(total_num, total_den, otherwise=1.0)
    used = [s for s in range(SCALES) if s != options.skip_aim_scale]
    aim = safe.divide(impairment[..., used].sum(-1), den[..., used].sum(-1))
    aim = jnp.zeros_like(adm2) if options.skip_aim else jnp.minimum(aim, 1.0)
    result = {"adm2": adm2, "aim": aim, "adm3": combine(adm2, aim, options)}
    # a scale without any denominator (noise_weight 0, flat reference) has no score: NaN, as there
    for s in range(SCALES):
        result[f"adm_scale{s}"] = safe.divide(num[..., s], den[..., s], otherwise=math.nan)
        result[f"adm_num_scale{s}"], result[f"adm_den_scale{s}"] = num[..., s], den[..., s]
    result |= {"adm": adm2, "adm_num": total_num, "adm_den": total_den}
    # what no output shows is not compiled
    return {o.name: result[o.name] for o in outputs("", options)}


def _check(ref: Planes, options: FloatAdmOptions) -> None:
    # each scale needs two rows and columns for its mirrored border
    check_min_size("float_adm", ref.height, ref.width, 17, 17)


def _check_loss(options: FloatAdmOptions) -> None:
    if options.adm3_apply_hm:
        raise ValueError("adm_adm3_apply_hm rewards impairment and makes no loss: leave it off.")


# what the plain form leaves out
_NOT_TRAINED = ("skip_scale0", "bypass_cm", "adm3_apply_hm", "skip_aim", "skip_aim_scale")


def _numbers(options: FloatAdmOptions) -> dict[str, float]:
    check_defaults("float_adm", options, _NOT_TRAINED)
    named = ("enhancement_gain_limit", "noise_weight", "dlm_weight")
    numbers = {name: getattr(options, name) for name in named}
    for scale in range(SCALES):
        numbers[f"f1s{scale}"], numbers[f"f2s{scale}"] = csf_factors(scale, options)
    return numbers


def _extract_with(
    ref: Planes, dis: Planes, options: FloatAdmOptions, numbers: Mapping[str, Any]
) -> Series:
    """The plain form, which takes traced numbers."""
    bands = [[numbers[f"f{k}s{scale}"] for k in (1, 1, 2)] for scale in range(SCALES)]
    frame = functools.partial(
        plain.adm,
        enhancement_gain_limit=numbers["enhancement_gain_limit"],
        noise_weight=numbers["noise_weight"],
        dlm_weight=numbers["dlm_weight"],
        p_norm=options.p_norm,
        csf=jnp.abs(jnp.array(bands, ref.y.dtype)),
    )
    series = jax.vmap(frame)(*(to_float(x.y, x.depth) for x in (ref, dis)))
    return series | {"adm3": jnp.maximum(series["adm3"], options.min_val)}


FLOAT_ADM = Feature(
    name="float_adm",
    summary="detail kept (adm2), impairment added (aim) and both (adm3), float arithmetic",
    options=FloatAdmOptions,
    outputs=lambda options: outputs("", options),
    extract=_extract,
    check=_check,
    loss=Loss(
        "adm",
        "Detail lost and impairment added: 1 - adm3.",
        value="adm3",
        returns="0 for an equal pair, towards 1 as detail is lost, below 0 for enhanced detail "
        "unless `enhancement_gain_limit` is 1.",
        note="`dlm_weight` (0.5) is the share of lost detail, 1 gives 1 - adm2; "
        "`enhancement_gain_limit=1` gives no credit for restored contrast beyond the reference's.",
        check=_check_loss,
    ),
    trainable=Trainable(start=_numbers, extract=_extract_with),
    libvmaf=True,
)


@documented(FLOAT_ADM)
def adm(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Detail loss and additive impairment, `float_adm` of libvmaf.

    Models two things a viewer sees separately: details of the reference that were lost (adm2, the
    DLM of the literature) and structure that was added (aim), in a wavelet domain weighted by
    contrast sensitivity and masked by the other part.

    {args}

    Returns:
        `{"adm2", "aim", "adm3", "adm_scale0", ..., "adm_scale3"}`, each `(frames,)`. adm2 and adm3
        are 1 for identical pictures, higher is better, above 1 for enhanced ones; aim is 0 for
        identical pictures, lower is better.

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.

    Source: libvmaf f85a853, `float_adm.c`. Matches it within 5e-5 on compressed video, within 4e-3
    at one scale of sharpened video.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.adm(ref, ref // 2)
        >>> {name: round(float(found[name][0]), 2) for name in ("adm2", "aim", "adm3")}
        {'adm2': 0.57, 'aim': 0.0, 'adm3': 0.78}
    """
    return run(FLOAT_ADM, ref, dis, bit_depth, options)
