"""Feature families: pure array programs from frames to per-frame values.

Every function takes `(ref, dis, *, bit_depth, options)`, luma arrays or `Planes`, and returns a
dict of `(frames,)` arrays. `vif`, `adm` and `motion` are the float forms, `vif_integer` and so on
libvmaf's fixed-point extractors.
"""

from jaxvqa.features.adm import adm as adm
from jaxvqa.features.adm_integer import adm_integer as adm_integer
from jaxvqa.features.cambi import cambi as cambi
from jaxvqa.features.cambi import cambi_heatmaps as cambi_heatmaps
from jaxvqa.features.funque import fs_funque_plus_3c as fs_funque_plus_3c
from jaxvqa.features.funque import fs_y_funque_plus as fs_y_funque_plus
from jaxvqa.features.funque import funque as funque
from jaxvqa.features.funque import funque_2022 as funque_2022
from jaxvqa.features.funque import funque_plus_3c as funque_plus_3c
from jaxvqa.features.funque import y_funque_plus as y_funque_plus
from jaxvqa.features.motion import motion as motion
from jaxvqa.features.motion_integer import motion_integer as motion_integer
from jaxvqa.features.speed import speed_chroma as speed_chroma
from jaxvqa.features.speed import speed_temporal as speed_temporal
from jaxvqa.features.speed_qa import speed_qa as speed_qa
from jaxvqa.features.strred import strred as strred
from jaxvqa.features.vif import vif as vif
from jaxvqa.features.vif_integer import vif_integer as vif_integer
