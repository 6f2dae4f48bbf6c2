"""The feature sets of the FUNQUE family: which transform, which atoms, under which names.

An extractor is a `Transform` (size, contrast sensitivity, levels) and a list of atoms, each a
function of the same pyramids. Outputs have the reference's names and order.

Source: FUNQUE+ (funque_plus 65d0b88), FUNQUE 2022 (funque 74c0ea7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from jaxvqa._planes import Planes
from jaxvqa._typing import Array
from jaxvqa.features._feature import (
    CHROMA,
    LUMA,
    MEASURED,
    OF_REFERENCE,
    Direction,
    Feature,
    Loss,
    Output,
    Perfect,
    Series,
    series_namespace,
)
from jaxvqa.features._funque.atoms import blur, edge, essim, mad, ms_essim, sai_difference
from jaxvqa.features._funque.dlm import dlm
from jaxvqa.features._funque.haar import Pyramid
from jaxvqa.features._funque.information import st_rred, vif_approximation
from jaxvqa.features._funque.transform import (
    CHANNELS,
    PyramidPair,
    Transform,
    is_rounded,
    over_frames,
)
from jaxvqa.features._options import Options


@dataclass(frozen=True)
class _Extractor:
    """An extractor: what is transformed, remembered and measured.

    Args:
        transform: planes to pyramids.
        memory: what the next frame needs of a frame's pyramids.
        atoms: values from a frame's pyramids and the frame before's memory, in the order of
            `outputs`.
        outputs: output names in the reference's order, with direction and the value of an
            equal pair.
        zero_first: outputs that the reference reports as 0 for the first frame.
    """

    transform: Transform
    memory: Callable[[PyramidPair], Any]
    atoms: Callable[[PyramidPair, Any], tuple[Array, ...]]
    outputs: tuple[tuple[str, Direction, Perfect], ...]
    zero_first: tuple[str, ...]


def _extract(extractor: _Extractor, ref: Planes, dis: Planes, *, rounded: bool) -> Series:
    """Raw values of every frame but the one in front."""

    def atoms(now: PyramidPair, before: Any) -> dict[str, Array]:
        names = (name for name, *_ in extractor.outputs)
        return dict(zip(names, extractor.atoms(now, before), strict=True))

    return over_frames(ref, dis, extractor.transform, extractor.memory, atoms, rounded=rounded)


def zero_first_frame(series: Series, names: tuple[str, ...]) -> Series:
    """Sets the first frame of the named series to 0, as the reference does without a past."""
    xp = series_namespace(series)
    zeroed = {n: xp.concatenate([xp.zeros_like(series[n][:1]), series[n][1:]]) for n in names}
    return {**series, **zeroed}


def _record(
    name: str, summary: str, extractor: _Extractor, loss: Loss[Any] | None = None
) -> Feature[Any]:
    def check(ref: Planes, options: Options) -> None:
        extractor.transform.check(name, ref.height, ref.width)

    return Feature(
        name=name,
        summary=summary,
        outputs=lambda options: tuple(
            Output(o, direction, perfect, f"FUNQUE_feature_{o}_score")
            for o, direction, perfect in extractor.outputs
        ),
        extract=lambda ref, dis, options: _extract(extractor, ref, dis, rounded=is_rounded(ref)),
        planes=LUMA if extractor.transform.channels == ("y",) else CHROMA,
        before=lambda options: 1,
        finish=lambda series, options: zero_first_frame(series, extractor.zero_first),
        check=check,
        loss=loss,
    )


def _funque_atoms(now: PyramidPair, before: Pyramid) -> tuple[Array, ...]:
    ref, dis = now.ref["y"], now.dis["y"]
    return (
        essim(ref.finest(1), dis.finest(1)),
        dlm(ref, dis, level=1),
        mad(ref.finest(1), before),
        vif_approximation(ref, dis, level=1),
        vif_approximation(ref, dis, level=2),
    )


def _y_plus_atoms(now: PyramidPair, before: Pyramid) -> tuple[Array, ...]:
    ref, dis = now.ref["y"], now.dis["y"]
    return ms_essim(ref, dis), dlm(ref, dis), mad(ref, before)


def _y_plus_loss(series: Mapping[str, Array]) -> Array:
    lost = jnp.maximum(1 - series["dlm_channel_y_scale_2"], 0)
    return lost + series["ms_ssim_cov_channel_y_levels_2"]


def _3c_plus_atoms(now: PyramidPair, before: tuple[Pyramid, Pyramid]) -> tuple[Array, ...]:
    ref, dis = now.ref["y"], now.dis["y"]
    entropy = st_rred(ref, dis, *before)
    return (
        ms_essim(ref, dis),
        entropy.srred,
        entropy.trred,
        dlm(ref, dis),
        mad(dis, before[1]),
        edge(now.ref["u"], now.dis["u"]),
        mad(now.ref["v"], now.dis["v"]),
    )


def _fs_y_plus_atoms(now: PyramidPair, before: tuple[Pyramid, Pyramid]) -> tuple[Array, ...]:
    ref, dis = now.ref["y"], now.dis["y"]
    return (
        ms_essim(ref, dis),
        dlm(ref, dis),
        st_rred(ref, dis, *before).strred,
        mad(dis, before[1]),
        sai_difference(ref, dis),
    )


def _fs_3c_plus_atoms(now: PyramidPair, before: tuple[Pyramid, Pyramid]) -> tuple[Array, ...]:
    (ref, dis), (ref_u, dis_u), (ref_v, dis_v) = ((now.ref[c], now.dis[c]) for c in CHANNELS)
    entropy = st_rred(ref_u, dis_u, *before)
    return (
        ms_essim(ref, dis),
        dlm(ref, dis),
        sai_difference(ref, dis),
        mad(dis_u, before[1]),
        entropy.srred,
        entropy.trred,
        edge(ref_u, dis_u),
        mad(ref_v, dis_v),
        blur(ref_v, dis_v),
    )


def _funque_2022_atoms(now: PyramidPair, before: Pyramid) -> tuple[Array, ...]:
    essim_1, dlm_1, motion, vif_1, vif_2 = _funque_atoms(now, before)
    return essim_1, vif_1, vif_2, dlm_1, motion


def _pair_of(channel: str) -> Callable[[PyramidPair], tuple[Pyramid, Pyramid]]:
    return lambda now: (now.ref[channel], now.dis[channel])


# Y-FUNQUE+: half size, details weighted by contrast sensitivity
HALF_SIZE = Transform(levels=2, csf="nadenau_weight", half=True, multiple=4)

_LOWER: tuple[Direction, float] = ("lower", 0.0)
_HIGHER: tuple[Direction, float] = ("higher", 1.0)
_OF_REFERENCE: tuple[Direction, Perfect] = ("neither", OF_REFERENCE)
_OF_DISTORTED: tuple[Direction, Perfect] = ("neither", MEASURED)

_FUNQUE = _Extractor(
    Transform(levels=2, csf="ngan_spat", half=True, multiple=4),
    memory=lambda now: now.ref["y"].finest(1).coarsest_approximation(),
    atoms=_funque_atoms,
    outputs=(
        ("ssim_cov_channel_y_levels_1", *_LOWER),
        ("dlm_channel_y_scale_1", *_HIGHER),
        ("motion_channel_y_scale_1", *_OF_REFERENCE),
        ("vif_approx_scalar_channel_y_scale_1", *_HIGHER),
        ("vif_approx_scalar_channel_y_scale_2", *_HIGHER),
    ),
    zero_first=("motion_channel_y_scale_1",),
)

_Y_PLUS = _Extractor(
    HALF_SIZE,
    memory=lambda now: now.ref["y"].coarsest_approximation(),
    atoms=_y_plus_atoms,
    outputs=(
        ("ms_ssim_cov_channel_y_levels_2", *_LOWER),
        ("dlm_channel_y_scale_2", *_HIGHER),
        ("mad_ref_channel_y_scale_2", *_OF_REFERENCE),
    ),
    zero_first=("mad_ref_channel_y_scale_2",),
)

_3C_PLUS = _Extractor(
    Transform(levels=2, csf="li", half=True, multiple=4, channels=CHANNELS),
    memory=_pair_of("y"),
    atoms=_3c_plus_atoms,
    outputs=(
        ("ms_ssim_cov_channel_y_levels_2", *_LOWER),
        ("srred_scalar_channel_y_levels_2", *_LOWER),
        ("trred_scalar_channel_y_levels_2", *_LOWER),
        ("dlm_channel_y_scale_2", *_HIGHER),
        ("mad_dis_channel_y_scale_2", *_OF_DISTORTED),
        ("edge_channel_u_scale_2", *_LOWER),
        ("mad_channel_v_scale_2", *_LOWER),
    ),
    zero_first=(
        "srred_scalar_channel_y_levels_2",
        "trred_scalar_channel_y_levels_2",
        "mad_dis_channel_y_scale_2",
    ),
)

_FS_Y_PLUS = _Extractor(
    Transform(levels=2, csf="nadenau_spat", half=False, multiple=4),
    memory=_pair_of("y"),
    atoms=_fs_y_plus_atoms,
    outputs=(
        ("ms_ssim_cov_channel_y_levels_2", *_LOWER),
        ("dlm_channel_y_scale_2", *_HIGHER),
        ("strred_scalar_channel_y_levels_2", *_LOWER),
        ("mad_dis_channel_y_scale_2", *_OF_DISTORTED),
        ("sai_diff_channel_y_scale_2", "neither", 0.0),
    ),
    zero_first=("strred_scalar_channel_y_levels_2", "mad_dis_channel_y_scale_2"),
)

_FS_3C_PLUS = _Extractor(
    Transform(levels=3, csf="watson", half=False, multiple=8, channels=CHANNELS),
    memory=_pair_of("u"),
    atoms=_fs_3c_plus_atoms,
    outputs=(
        ("ms_ssim_cov_channel_y_levels_3", *_LOWER),
        ("dlm_channel_y_scale_3", *_HIGHER),
        ("sai_diff_channel_y_scale_3", "neither", 0.0),
        ("mad_dis_channel_u_scale_3", *_OF_DISTORTED),
        ("srred_scalar_channel_u_levels_3", *_LOWER),
        ("trred_scalar_channel_u_levels_3", *_LOWER),
        ("edge_channel_u_scale_3", *_LOWER),
        ("mad_channel_v_scale_3", *_LOWER),
        ("blur_channel_v_scale_3", *_LOWER),
    ),
    zero_first=(
        "mad_dis_channel_u_scale_3",
        "srred_scalar_channel_u_levels_3",
        "trred_scalar_channel_u_levels_3",
    ),
)

_2022 = _Extractor(
    Transform(levels=2, csf="ngan_exact", half=True, multiple=1),
    memory=lambda now: now.ref["y"].finest(1).coarsest_approximation(),
    atoms=_funque_2022_atoms,
    outputs=(
        ("wd_essim", *_LOWER),
        ("vif_scale1", *_HIGHER),
        ("vif_scale2", *_HIGHER),
        ("dlm", *_HIGHER),
        ("motion", *_OF_REFERENCE),
    ),
    zero_first=("motion",),
)

FUNQUE = _record(
    "funque", "FUNQUE features (half size, blurred, Haar): ESSIM, DLM, motion, VIF", _FUNQUE
)
Y_FUNQUE_PLUS = _record(
    "y_funque_plus",
    "Y-FUNQUE+ features (luma): MS-ESSIM, DLM, reference motion",
    _Y_PLUS,
    Loss(
        "y_funque_plus",
        "Y-FUNQUE+ without its regression: `max(1 - DLM, 0) + MS-ESSIM(CoV)`.",
        value=_y_plus_loss,
        returns="0 for an equal pair, never below, above 1 for unrelated pictures. Raised contrast "
        "has no negative DLM term; the structure term counts it as error. Steep near an equal pair "
        "(powers of 0.29 and 0.04), where gradients get large; exactly there they are 0.",
        note="The sum of the set's two distortion features, detail lost and structure lost, with "
        "equal weights. The published set has a third feature, motion of the reference, and a "
        "regression that no file of a trained model exists for; a loss needs neither.",
    ),
)
FUNQUE_PLUS_3C = _record(
    "3c_funque_plus",
    "3C-FUNQUE+ features: Y-FUNQUE+'s kind on luma, edges and error on chroma",
    _3C_PLUS,
)
FS_Y_FUNQUE_PLUS = _record(
    "fs_y_funque_plus",
    "Y-FUNQUE+ at full scale: MS-ESSIM, DLM, ST-RRED, motion, activity",
    _FS_Y_PLUS,
)
FS_FUNQUE_PLUS_3C = _record(
    "fs_3c_funque_plus", "3C-FUNQUE+ at full scale, three levels, nine features", _FS_3C_PLUS
)
FUNQUE_2022 = _record("funque_2022", "the five features of the trained FUNQUE model of 2022", _2022)
