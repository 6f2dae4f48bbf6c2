"""FUNQUE, Y-FUNQUE+, 3C-FUNQUE+, their full-scale forms, and FUNQUE of 2022, as functions.

Fusing quality features on one wavelet transform: all features of a set read the same Haar pyramid.
The sets are in `sets.py`, their features in `atoms.py`, `dlm.py` and `information.py`, where they
can be used one by one.

Integer frames are scored as the reference does, rounding included; float frames (training) take a
smooth twin that leaves out the rounding of the halved picture. Temporal outputs, and spatial
RRED, are 0 on the first frame. Odd sizes, which the reference refuses, follow `sast.py`.
"""

from __future__ import annotations

from typing import Any

from jaxvqa._planes import VideoLike
from jaxvqa._typing import Array
from jaxvqa.features._funque import sets
from jaxvqa.features._run import documented, run


@documented(sets.FUNQUE)
def funque(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """FUNQUE features: structure, detail, motion and information of a blurred half-size luma.

    Models quality as an eye sees it from three picture heights: the picture is halved, filtered
    with a contrast sensitivity function, and one Haar pyramid serves all features.

    {args}

    Returns:
        Five series `(frames,)`: `ssim_cov_channel_y_levels_1` (ESSIM by coefficient of variation,
        0 for a perfect pair, lower is better), `dlm_channel_y_scale_1` and two
        `vif_approx_scalar_channel_y_scale_*` (1, higher is better), `motion_channel_y_scale_1` (0
        for a still).

    Raises:
        ValueError: bad sizes. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.funque(ref, ref // 2)
        >>> round(float(found["dlm_channel_y_scale_1"][0]), 2)
        0.5
    """
    return run(sets.FUNQUE, ref, dis, bit_depth, options)


@documented(sets.Y_FUNQUE_PLUS)
def y_funque_plus(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Y-FUNQUE+ features: the smallest set, on luma.

    Models structure, detail and motion on a half-size picture whose details carry contrast
    sensitivity weights.

    {args}

    Returns:
        `ms_ssim_cov_channel_y_levels_2` (0 for a perfect pair, lower is better),
        `dlm_channel_y_scale_2` (1 for a perfect pair, higher is better) and
        `mad_ref_channel_y_scale_2` (motion, 0 for a still), each `(frames,)`.

    Raises:
        ValueError: bad sizes. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.y_funque_plus(ref, ref // 2)
        >>> round(float(found["dlm_channel_y_scale_2"][0]), 2)
        0.5
    """
    return run(sets.Y_FUNQUE_PLUS, ref, dis, bit_depth, options)


@documented(sets.FUNQUE_PLUS_3C)
def funque_plus_3c(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """3C-FUNQUE+ features: luma, and edges and error of chroma.

    Models structure, detail, motion and entropy change on luma, added edges on Cb and error on Cr,
    at half size with contrast sensitivity weights.

    {args}

    Returns:
        Seven series `(frames,)` with the reference's names: `ms_ssim_cov_channel_y_levels_2`,
        `srred_scalar_channel_y_levels_2`, `trred_scalar_channel_y_levels_2`,
        `edge_channel_u_scale_2`, `mad_channel_v_scale_2` (0 for a perfect pair, lower is better),
        `dlm_channel_y_scale_2` (1, higher is better), `mad_dis_channel_y_scale_2` (motion).

    Raises:
        ValueError: bad sizes, or no chroma. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> y = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> ref, dis = jaxvqa.Planes(y, y, y), jaxvqa.Planes(y, y, y // 2)
        >>> found = jaxvqa.features.funque_plus_3c(ref, dis)
        >>> round(float(found["mad_channel_v_scale_2"][0]), 2)
        1.0
    """
    return run(sets.FUNQUE_PLUS_3C, ref, dis, bit_depth, options)


@documented(sets.FS_Y_FUNQUE_PLUS)
def fs_y_funque_plus(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """Y-FUNQUE+ features at full scale.

    Models structure, detail, spatio-temporal entropy, motion and activity on luma that went through
    a five-tap contrast sensitivity filter.

    {args}

    Returns:
        Five series `(frames,)`: `ms_ssim_cov_channel_y_levels_2` and
        `strred_scalar_channel_y_levels_2` (0 for a perfect pair, lower is better),
        `dlm_channel_y_scale_2` (1, higher is better), `mad_dis_channel_y_scale_2` (motion),
        `sai_diff_channel_y_scale_2` (signed, 0 for a perfect pair).

    Raises:
        ValueError: bad sizes. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.fs_y_funque_plus(ref, ref // 2)
        >>> round(float(found["dlm_channel_y_scale_2"][0]), 2)
        0.5
    """
    return run(sets.FS_Y_FUNQUE_PLUS, ref, dis, bit_depth, options)


@documented(sets.FS_FUNQUE_PLUS_3C)
def fs_funque_plus_3c(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """3C-FUNQUE+ features at full scale, three levels.

    Models structure, detail and activity on luma, motion, entropy change and added edges on Cb,
    error and blur on Cr, with contrast sensitivity weights of each channel.

    {args}

    Returns:
        Nine series `(frames,)` with the reference's names: `ms_ssim_cov_channel_y_levels_3`,
        `srred_scalar_channel_u_levels_3`, `trred_scalar_channel_u_levels_3`,
        `edge_channel_u_scale_3`, `mad_channel_v_scale_3`, `blur_channel_v_scale_3` (0 for a perfect
        pair, lower is better), `dlm_channel_y_scale_3` (1, higher is better),
        `sai_diff_channel_y_scale_3` (signed), `mad_dis_channel_u_scale_3` (motion).

    Raises:
        ValueError: bad sizes, or no chroma. TypeError: bad dtypes.

    Source: FUNQUE+ (funque_plus 65d0b88). Matches it to 2e-5 relative.

    Example:
        >>> import numpy as np, jaxvqa
        >>> y = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> ref, dis = jaxvqa.Planes(y, y, y), jaxvqa.Planes(y, y, y // 2)
        >>> found = jaxvqa.features.fs_funque_plus_3c(ref, dis)
        >>> round(float(found["mad_channel_v_scale_3"][0]), 2)
        2.0
    """
    return run(sets.FS_FUNQUE_PLUS_3C, ref, dis, bit_depth, options)


@documented(sets.FUNQUE_2022)
def funque_2022(
    ref: VideoLike, dis: VideoLike, *, bit_depth: int | None = None, **options: Any
) -> dict[str, Array]:
    """The five features of the trained FUNQUE model of 2022.

    Models what `funque` does. The filter is not rounded to eight digits and the halved picture is
    not cropped, so that levels of odd length repeat their last sample.

    {args}

    Returns:
        `wd_essim` (0 for a perfect pair, lower is better), `vif_scale1`, `vif_scale2`, `dlm` (1,
        higher is better) and `motion` (0 for a still), each `(frames,)`.

    Raises:
        ValueError: bad sizes. TypeError: bad dtypes.

    Source: FUNQUE 2022 (funque 74c0ea7). Matches it to 2e-5 relative; its VIF runs on float32
    integral images, which costs the source itself 1e-5.

    Example:
        >>> import numpy as np, jaxvqa
        >>> ref = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
        >>> found = jaxvqa.features.funque_2022(ref, ref // 2)
        >>> {name: round(float(x[0]), 2) for name, x in found.items()}
        {'wd_essim': 0.03, 'vif_scale1': 0.33, 'vif_scale2': 0.28, 'dlm': 0.5, 'motion': 0.0}
    """
    return run(sets.FUNQUE_2022, ref, dis, bit_depth, options)
