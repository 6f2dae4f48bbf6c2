"""Losses for training: one signature, 0 is best, no clip, finite gradients.

Every function takes `(ref, dis, *, bit_depth, reduction, where)`, luma code values or `Planes`, and
returns `(frames,)` losses, or a scalar with `reduction="mean"` or "sum". They are pure functions
for `jit`, `grad`, `vmap` (over clips) and `jax.checkpoint`. docs/losses.md says where each has
no gradient. RGB comes in through `jaxvqa.color.rgb_to_planes`.
"""

from jaxvqa.losses._metrics import adm as adm
from jaxvqa.losses._metrics import cambi as cambi
from jaxvqa.losses._metrics import ms_essim as ms_essim
from jaxvqa.losses._metrics import speed_chroma as speed_chroma
from jaxvqa.losses._metrics import speed_qa as speed_qa
from jaxvqa.losses._metrics import vif as vif
from jaxvqa.losses._metrics import y_funque_plus as y_funque_plus
from jaxvqa.losses._model import funque as funque
from jaxvqa.losses._model import vmaf as vmaf

__all__ = [
    "adm", "cambi", "funque", "ms_essim", "speed_chroma", "speed_qa", "vif", "vmaf",
    "y_funque_plus",
]  # fmt: skip
