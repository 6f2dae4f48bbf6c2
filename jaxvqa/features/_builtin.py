"""The metrics that ship, one line each, in the order of listings."""
# ruff: noqa: I001

from jaxvqa.features._vif.integer_vif import vif_integer as vif_integer
from jaxvqa.features._adm.integer_adm import adm_integer as adm_integer
from jaxvqa.features._motion.integer_motion import motion_integer as motion_integer
from jaxvqa.features._vif.float_vif import vif as vif
from jaxvqa.features._adm.float_adm import adm as adm
from jaxvqa.features._motion.float_motion import motion as motion
from jaxvqa.features._moment import moment as moment
from jaxvqa.features._psnr import psnr as psnr
from jaxvqa.features._psnr import float_psnr as float_psnr
from jaxvqa.features._ansnr.float_ansnr import ansnr as ansnr
from jaxvqa.features._ssim.float_ssim import ssim as ssim
from jaxvqa.features._ssim.float_ms_ssim import ms_ssim as ms_ssim
from jaxvqa.features._ciede.ciede import ciede as ciede
from jaxvqa.features._psnr_hvs.psnr_hvs import psnr_hvs as psnr_hvs
from jaxvqa.features._speed.speed import speed_chroma as speed_chroma
from jaxvqa.features._speed.speed import speed_temporal as speed_temporal
from jaxvqa.features._speed.qa import speed_qa as speed_qa
from jaxvqa.features._cambi.feature import cambi as cambi
from jaxvqa.features._funque.functions import funque as funque
from jaxvqa.features._funque.functions import y_funque_plus as y_funque_plus
from jaxvqa.features._funque.functions import funque_plus_3c as funque_plus_3c
from jaxvqa.features._funque.functions import fs_y_funque_plus as fs_y_funque_plus
from jaxvqa.features._funque.functions import fs_funque_plus_3c as fs_funque_plus_3c
from jaxvqa.features._funque.functions import funque_2022 as funque_2022
from jaxvqa.features._funque.st_rred import strred as strred
from jaxvqa.features._funque.ms_essim import ms_essim as ms_essim
from jaxvqa.features._xpsnr.xpsnr import xpsnr as xpsnr
