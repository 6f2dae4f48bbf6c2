"""The FUNQUE family as its papers write it: read this first.

One transform serves all features of a set: each frame becomes one Haar pyramid (`plain_transform`),
and every feature is a short formula on the pyramids of reference and distorted frame, and of the
frames before them (`plain_atoms`). So a set is a row of choices and a list of formulas.

The dtype is that of the frames; float64 is the yardstick, and float32 keeps three digits. The
shipped features (`features.y_funque_plus` and the others) are the same formulas, arranged for speed
and for float32. The names of outputs are those of the reference.

Sources: A. K. Venkataramanan, C. Stejerean, A. C. Bovik, "FUNQUE: Fusion of Unified Quality
Evaluators", IEEE ICIP 2022 (code funque 74c0ea7); A. K. Venkataramanan, C. Stejerean,
I. Katsavounidis, A. C. Bovik, "One Transform To Compute Them All: Efficient Fusion-Based
Full-Reference Video Quality Assessment", IEEE Transactions on Image Processing 33, 2024 (code
funque_plus 65d0b88).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features._funque.plain_atoms import (
    blur,
    dlm,
    edge,
    essim,
    mad,
    ms_essim,
    sai,
    st_rred,
    vif,
)
from jaxvqa.features._funque.plain_transform import Pyramid, Setting, frame_pyramid

Luma = Float[Array, "frames height width"]
Clip = tuple[Luma, Float[Array, "frames rows columns"], Float[Array, "frames rows columns"]]
Series = dict[str, Float[Array, " frames"]]
Formulas = Callable[..., dict[str, Array]]


def over_frames(
    ref: tuple[Array, ...], dis: tuple[Array, ...], setting: Setting, formulas: Formulas
) -> Series:
    """`formulas` of the pyramids (ref, dis, ref before, dis before) of every frame, by channel.

    The first frame has no predecessor and gets itself: it shows no motion.
    """
    _, height, width = ref[0].shape

    def pyramids(clip: tuple[Array, ...]) -> dict[str, Pyramid]:
        found = {}
        for channel, frames in zip("yuv", clip, strict=False):
            transform = partial(
                frame_pyramid, luma_size=(height, width), channel=channel, setting=setting
            )
            found[channel] = jax.vmap(transform)(frames)
        return found

    def one_late(frames: Array) -> Array:
        return jnp.concatenate([frames[:1], frames[:-1]])

    now = pyramids(ref), pyramids(dis)
    return jax.vmap(formulas)(*now, *jax.tree.map(one_late, now))


def from_second(series: Series, *names: str) -> Series:
    """0 for the first frame: the reference has no entropy differences there, not even in space."""
    return {**series, **{name: series[name].at[0].set(0.0) for name in names}}


def funque(ref: Luma, dis: Luma, *, bit_depth: int, rounded: bool = True) -> Series:
    """FUNQUE: ESSIM, DLM, motion and VIF of a halved, filtered luma.

    Args:
        ref: reference, luma code values.
        dis: distorted video.
        bit_depth: bits per sample.
        rounded: round the halved frames to whole codes, as the reference does. The shipped features
            round integer frames and not float frames.

    Returns:
        Five series with the reference's names: ESSIM 0, DLM and VIF 1 for an equal pair.
    """

    def formulas(r: dict, d: dict, r_before: dict, _: dict) -> dict[str, Array]:
        return {
            "ssim_cov_channel_y_levels_1": essim(r["y"], d["y"], 1),
            "dlm_channel_y_scale_1": dlm(r["y"], d["y"], 1),
            "motion_channel_y_scale_1": mad(r["y"], r_before["y"], 1),
            "vif_approx_scalar_channel_y_scale_1": vif(r["y"], d["y"], 1),
            "vif_approx_scalar_channel_y_scale_2": vif(r["y"], d["y"], 2),
        }

    setting = Setting(bit_depth, half=True, rounded=rounded, csf="ngan_spat", levels=2, multiple=4)
    return over_frames((ref,), (dis,), setting, formulas)


def y_funque_plus(ref: Luma, dis: Luma, *, bit_depth: int, rounded: bool = True) -> Series:
    """Y-FUNQUE+: MS-ESSIM, DLM and motion of a halved luma. Arguments as of `funque`."""

    def formulas(r: dict, d: dict, r_before: dict, _: dict) -> dict[str, Array]:
        return {
            "ms_ssim_cov_channel_y_levels_2": ms_essim(r["y"], d["y"], 2),
            "dlm_channel_y_scale_2": dlm(r["y"], d["y"], 2),
            "mad_ref_channel_y_scale_2": mad(r["y"], r_before["y"], 2),
        }

    setting = Setting(
        bit_depth, half=True, rounded=rounded, csf="nadenau_weight", levels=2, multiple=4
    )
    return over_frames((ref,), (dis,), setting, formulas)


def funque_plus_3c(ref: Clip, dis: Clip, *, bit_depth: int, rounded: bool = True) -> Series:
    """3C-FUNQUE+: Y-FUNQUE+'s kind on luma, edges on Cb, error on Cr, all halved.

    `ref` and `dis` are (Y, Cb, Cr), chroma at its own size; the rest as in `funque`.
    """

    def formulas(r: dict, d: dict, r_before: dict, d_before: dict) -> dict[str, Array]:
        srred, trred, _ = st_rred(r["y"], d["y"], r_before["y"], d_before["y"])
        return {
            "ms_ssim_cov_channel_y_levels_2": ms_essim(r["y"], d["y"], 2),
            "srred_scalar_channel_y_levels_2": srred,
            "trred_scalar_channel_y_levels_2": trred,
            "dlm_channel_y_scale_2": dlm(r["y"], d["y"], 2),
            "mad_dis_channel_y_scale_2": mad(d["y"], d_before["y"], 2),
            "edge_channel_u_scale_2": edge(r["u"], d["u"], 2),
            "mad_channel_v_scale_2": mad(r["v"], d["v"], 2),
        }

    setting = Setting(bit_depth, half=True, rounded=rounded, csf="li", levels=2, multiple=4)
    series = over_frames(ref, dis, setting, formulas)
    return from_second(series, "srred_scalar_channel_y_levels_2", "trred_scalar_channel_y_levels_2")


def fs_y_funque_plus(ref: Luma, dis: Luma, *, bit_depth: int) -> Series:
    """Y-FUNQUE+ at full scale: MS-ESSIM, DLM, ST-RRED, motion and activity of a filtered luma."""

    def formulas(r: dict, d: dict, r_before: dict, d_before: dict) -> dict[str, Array]:
        _, _, strred = st_rred(r["y"], d["y"], r_before["y"], d_before["y"])
        return {
            "ms_ssim_cov_channel_y_levels_2": ms_essim(r["y"], d["y"], 2),
            "dlm_channel_y_scale_2": dlm(r["y"], d["y"], 2),
            "strred_scalar_channel_y_levels_2": strred,
            "mad_dis_channel_y_scale_2": mad(d["y"], d_before["y"], 2),
            "sai_diff_channel_y_scale_2": sai(r["y"], 2) - sai(d["y"], 2),
        }

    setting = Setting(
        bit_depth, half=False, rounded=False, csf="nadenau_spat", levels=2, multiple=4
    )
    series = over_frames((ref,), (dis,), setting, formulas)
    return from_second(series, "strred_scalar_channel_y_levels_2")


def fs_funque_plus_3c(ref: Clip, dis: Clip, *, bit_depth: int) -> Series:
    """3C-FUNQUE+ at full scale, three levels. `ref` and `dis` are (Y, Cb, Cr)."""

    def formulas(r: dict, d: dict, r_before: dict, d_before: dict) -> dict[str, Array]:
        srred, trred, _ = st_rred(r["u"], d["u"], r_before["u"], d_before["u"])
        return {
            "ms_ssim_cov_channel_y_levels_3": ms_essim(r["y"], d["y"], 3),
            "dlm_channel_y_scale_3": dlm(r["y"], d["y"], 3),
            "sai_diff_channel_y_scale_3": sai(r["y"], 3) - sai(d["y"], 3),
            "mad_dis_channel_u_scale_3": mad(d["u"], d_before["u"], 3),
            "srred_scalar_channel_u_levels_3": srred,
            "trred_scalar_channel_u_levels_3": trred,
            "edge_channel_u_scale_3": edge(r["u"], d["u"], 3),
            "mad_channel_v_scale_3": mad(r["v"], d["v"], 3),
            "blur_channel_v_scale_3": blur(r["v"], d["v"], 3),
        }

    setting = Setting(bit_depth, half=False, rounded=False, csf="watson", levels=3, multiple=8)
    series = over_frames(ref, dis, setting, formulas)
    return from_second(series, "srred_scalar_channel_u_levels_3", "trred_scalar_channel_u_levels_3")


def funque_2022(ref: Luma, dis: Luma, *, bit_depth: int, rounded: bool = True) -> Series:
    """FUNQUE as first published: an unrounded filter, no crop. Arguments as of `funque`."""

    def formulas(r: dict, d: dict, r_before: dict, _: dict) -> dict[str, Array]:
        return {
            "wd_essim": essim(r["y"], d["y"], 1),
            "vif_scale1": vif(r["y"], d["y"], 1),
            "vif_scale2": vif(r["y"], d["y"], 2),
            "dlm": dlm(r["y"], d["y"], 1),
            "motion": mad(r["y"], r_before["y"], 1),
        }

    setting = Setting(bit_depth, half=True, rounded=rounded, csf="ngan_exact", levels=2, multiple=1)
    return over_frames((ref,), (dis,), setting, formulas)


def strred(
    ref: Luma,
    dis: Luma,
    *,
    bit_depth: int,
    levels: int = 2,
    csf: str = "nadenau_spat",
    half_size: bool = False,
    rounded: bool = True,
) -> Series:
    """ST-RRED alone: entropy differences in space, in time, and their product.

    Args:
        ref: reference, luma code values.
        dis: distorted video.
        bit_depth: bits per sample.
        levels: levels of the pyramid.
        csf: "none", or a name of `csf.py`.
        half_size: halve the frames first.
        rounded: round the halved frames to whole codes.

    Returns:
        `{"strred", "srred", "trred"}`: 0 for an equal pair and for the first frame.
    """

    def formulas(r: dict, d: dict, r_before: dict, d_before: dict) -> dict[str, Array]:
        values = st_rred(r["y"], d["y"], r_before["y"], d_before["y"])
        return dict(zip(("srred", "trred", "strred"), values, strict=True))

    setting = Setting(
        bit_depth, half=half_size, rounded=rounded, csf=csf, levels=levels, multiple=2**levels
    )
    series = over_frames((ref,), (dis,), setting, formulas)
    return from_second(series, "srred", "trred", "strred")
