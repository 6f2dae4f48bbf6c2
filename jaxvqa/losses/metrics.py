"""Losses made of one metric each: VIF, ADM, CAMBI, SpEED, MS-ESSIM, Y-FUNQUE+."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array
from jaxvqa.checks import one_of
from jaxvqa.features import funque_atoms
from jaxvqa.features.adm import FEATURE as ADM
from jaxvqa.features.cambi import FEATURE as CAMBI
from jaxvqa.features.cambi_pull import banding
from jaxvqa.features.funque_sets import Y_FUNQUE_PLUS
from jaxvqa.features.funque_transform import Transform, plane_pyramid
from jaxvqa.features.speed import SPEED_CHROMA
from jaxvqa.features.speed_qa import SPEED_QA
from jaxvqa.features.vif import FEATURE as VIF
from jaxvqa.losses.frames import float_pair, measure, reduce_frames
from jaxvqa.ops.tiling import map_frames

# the transform of Y-FUNQUE+: half size, details weighted by contrast sensitivity
_HALF_SIZE = Transform(levels=2, csf="nadenau_weight", half=True, multiple=4)


def vif(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
    **options: Any,
) -> Array:
    """Visual information lost: 1 - VIF, all four scales together.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`; any float or integer dtype.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
        **options: options of `features.vif`. `enhancement_gain_limit=1` gives no credit for
            contrast beyond the reference's (NEG), and no gradient there either.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, about 1 for nothing kept, below 0
        for enhanced contrast unless `enhancement_gain_limit` is 1. An equal pair is 0 within 1e-6;
        on reference areas with a local variance under `sigma_nsq` it is above 0 by definition, by
        up to `(sigma_nsq / 255)^2 sigma_nsq` (1.2e-4 at 2).

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    found = measure(VIF, ref, dis, options | {"debug": True})
    return reduce_frames(1 - found["vif"], where, reduction)


def adm(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
    **options: Any,
) -> Array:
    """Detail lost and impairment added: 1 - adm3.

    Args:
        ref: reference, as for `vif`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
        **options: options of `features.adm`. `dlm_weight` (0.5) is the share of lost detail, 1
            gives 1 - adm2; `enhancement_gain_limit=1` gives no credit for restored contrast beyond
            the reference's.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, towards 1 as detail is lost, below
        0 for enhanced detail unless `enhancement_gain_limit` is 1.

    Raises:
        ValueError: bad options (`adm3_apply_hm` is 0 for an equal pair and makes no loss), shapes
            or sizes. TypeError: bad dtypes.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    if ADM.resolve(options).adm_adm3_apply_hm:
        raise ValueError("adm_adm3_apply_hm rewards impairment and makes no loss: leave it off.")
    return reduce_frames(1 - measure(ADM, ref, dis, options)["adm3"], where, reduction)


def cambi(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
    **options: Any,
) -> Array:
    """Banding added: CAMBI of `dis` minus CAMBI of `ref`.

    Both values are exact on codes rounded and clipped to the bit depth. The gradient is that of
    soft counts at these codes, through the rounding as if it were not there.

    Args:
        ref: reference, as for `vif`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
        **options: options of `features.cambi`, but `full_ref` and the source's size: both sides
            are examined alike.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, above 5 for added banding that
        annoys, below 0 for less banding than the reference has. Other errors don't count: add
        another loss.

    Raises:
        ValueError: bad options or sizes. TypeError: bad dtypes.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    settings = CAMBI.resolve(options)
    if settings.full_ref or settings.src_width or settings.src_height:
        raise ValueError(
            "losses.cambi examines both sides alike: leave full_ref, src_width and src_height out."
        )
    CAMBI.check(dis, settings)
    before, after = (banding(side.y, side.depth, settings) for side in (ref, dis))
    return reduce_frames(after - before, where, reduction)


def speed_chroma(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
    **options: Any,
) -> Array:
    """Entropy difference of the chroma planes: `speed_chroma_uv`.

    Args:
        ref: reference, a `Planes` with chroma.
        dis: distorted video of the same format and size.
        bit_depth: not needed, `Planes` carries it.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
        **options: options of `features.speed_chroma`.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, no upper bound but `max_val`.
        Chroma under about 160x160 samples, and flat chroma, has a singular covariance: it counts 0
        with gradient 0.

    Raises:
        ValueError: bad options, no chroma, or planes too small. TypeError: bad dtypes.

    float32 frames have reverse derivatives only (`jax.grad`), float64 frames all.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    found = measure(SPEED_CHROMA, ref, dis, options)
    return reduce_frames(found["speed_chroma_uv"], where, reduction)


def speed_qa(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
    **options: Any,
) -> Array:
    """Spatial times temporal entropy difference of luma: SpEED-QA.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.
        **options: options of `features.speed_qa`; `band=2` or 3 allows smaller crops than 4.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, no upper bound. The first frame
        repeats the second one's value; a single frame has the spatial part alone. Frames where the
        metric is undefined (singular covariance) count 0 with gradient 0.

    Raises:
        ValueError: bad options, or frames too small. TypeError: bad dtypes.

    float32 frames have reverse derivatives only (`jax.grad`), float64 frames all.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    value = measure(SPEED_QA, ref, dis, options)["speed_qa"]
    value = jnp.where(jnp.isnan(value), jnp.zeros_like(value), value)
    return reduce_frames(value, where, reduction)


def ms_essim(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    pooling: str = "mean",
    reduction: str | None = None,
    where: Any = None,
) -> Array:
    """Structure lost: 1 - multi-scale enhanced SSIM, on the half-size Haar pyramid of Y-FUNQUE+.

    The cheapest and smoothest of the losses.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        pooling: of the quality maps: "mean", or "mink", which weights the worst samples more. (The
            coefficient of variation of FUNQUE+ is in `y_funque_plus`.)
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, about 1 for unrelated structure.

    Raises:
        ValueError: bad options, shapes or sizes. TypeError: bad dtypes.
    """
    one_of("pooling", pooling, ("mean", "mink"))
    ref, dis = float_pair(ref, dis, bit_depth)
    size = (ref.height, ref.width)
    _HALF_SIZE.check("ms_essim", *size)

    @jax.checkpoint
    def frame(*pair: Array) -> Array:
        pyramids = (plane_pyramid(x, "y", size, ref.depth, _HALF_SIZE, rounded=False) for x in pair)
        return 1 - funque_atoms.ms_essim(*pyramids, pooling=pooling)

    return reduce_frames(map_frames(frame, ref.y, dis.y), where, reduction)


def y_funque_plus(
    ref: Any,
    dis: Any,
    *,
    bit_depth: int | None = None,
    reduction: str | None = None,
    where: Any = None,
) -> Array:
    """Y-FUNQUE+ without its regression: `max(1 - DLM, 0) + MS-ESSIM(CoV)`.

    The sum of the set's two distortion features, detail lost and structure lost, with equal
    weights. The published set has a third feature, motion of the reference, and a regression that
    no file of a trained model exists for; a loss needs neither.

    Args:
        ref: reference, luma code values `(frames, height, width)` or `(height, width)`, or a
            `Planes`.
        dis: distorted video of the same shape.
        bit_depth: bits a sample; needed unless both are uint8 or `Planes`.
        reduction: None for one value a frame, "mean" or "sum".
        where: `(frames,)` booleans; frames that are False count 0 and are left out of the mean.

    Returns:
        `(frames,)`, or a scalar if reduced: 0 for an equal pair, never below, above 1 for unrelated
        pictures. Raised contrast has no negative DLM term; the structure term counts it as error.
        Steep near an equal pair (powers of 0.29 and 0.04), where gradients get large; exactly there
        they are 0.

    Raises:
        ValueError: bad sizes. TypeError: bad dtypes.
    """
    ref, dis = float_pair(ref, dis, bit_depth)
    found = measure(Y_FUNQUE_PLUS, ref, dis, {})
    lost = jnp.maximum(1 - found["dlm_channel_y_scale_2"], 0)
    return reduce_frames(lost + found["ms_ssim_cov_channel_y_levels_2"], where, reduction)
