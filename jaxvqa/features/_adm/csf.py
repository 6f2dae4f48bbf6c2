"""Contrast sensitivity of the eye at the frequencies of a wavelet scale, as ADM weighs its bands.

Each function gives two weights, one for the horizontal and vertical bands and one for the diagonal
band, as Python floats of static arguments: scale (0 is the finest), viewing distance in display
heights, display height in pixels.

Source: libvmaf f85a853, `adm_csf_tools.h`, `adm_tools.h` and `barten_csf_tools.h`. The Watson and
Barten weights round to float32 where the tool does, since its fixed-point arithmetic sees every
bit.
"""

from __future__ import annotations

import math

import numpy as np

# Watson et al., Visibility of wavelet quantization noise (1997): basis function amplitudes of the
# 7-9 wavelet and threshold parameters for luma
_AMPLITUDES = (
    (0.67234, 0.41317, 0.22727, 0.11792),
    (0.72709, 0.49428, 0.28688, 0.15214),
)
_FREQUENCY_FACTORS = (1.0, 0.534)
_WATSON_A, _WATSON_K, _WATSON_F0 = (float(np.float32(x)) for x in (0.495, 0.466, 0.401))

# Barten: luminance in cd/m2, the four parameters at two luminances around it, how the eye's optics
# and its adaptation depend on frequency and luminance
_BARTEN_LUMINANCE = 100.0
_BARTEN_ANCHORS = (
    (20.0, (0.334278, 3.79542, 1.07327, 6.4635)),
    (150.0, (0.394533, 2.7755, 1.16577, 7.45665)),
)
_BARTEN_MTF = (
    (0.424838596301290, 0.028),
    (0.572435103936480, 0.37),
    (0.000167576239164937, 37.0),
    (0.00255872352306433, 360.0),
)
_BARTEN_ADAPTATION = (30.162, 4.0627, 1.6596, 0.2712)

# (display height, viewing distance): weights at scales 0 to 3
_Rows = tuple[tuple[float, ...], tuple[float, ...]]
_BLEND: dict[tuple[int, float], _Rows] = {
    (1080, 3.0): ((0.01183, 0.025026, 0.04295, 0.058621), (0.004302, 0.011778, 0.023918, 0.035901)),
    (1080, 5.0): ((0.004212, 0.014809, 0.029642, 0.047464), (0.000984, 0.005852, 0.0146, 0.027574)),
    (2160, 3.0): ((0.00226, 0.01183, 0.025026, 0.04295), (0.000479, 0.004302, 0.011778, 0.023918)),
    (2160, 5.0): ((0.000092, 0.004212, 0.014809, 0.029642), (0.00005, 0.000984, 0.005852, 0.0146)),
    (720, 3.0): (
        (0.018715, 0.035637, 0.052798, 0.061509),
        (0.007999, 0.018396, 0.031851, 0.037718),
    ),
    (720, 5.0): ((0.010144, 0.022561, 0.040309, 0.05672), (0.003463, 0.010282, 0.021839, 0.034641)),
    (480, 3.0): (
        (0.027961, 0.045875, 0.060275, 0.056234),
        (0.013572, 0.026277, 0.036959, 0.034511),
    ),
    (480, 5.0): ((0.016781, 0.032822, 0.05032, 0.061594), (0.00691, 0.016545, 0.029917, 0.037777)),
}
_BLEND_MAE: dict[tuple[int, float], _Rows] = {
    (1080, 3.0): ((0.011249, 0.022606, 0.03593, 0.045673), (0.004097, 0.010921, 0.02143, 0.031313)),
    (1080, 5.0): (
        (0.004052, 0.013939, 0.026298, 0.038833),
        (0.000927, 0.005544, 0.013415, 0.024515),
    ),
    (2160, 3.0): ((0.002166, 0.011249, 0.022606, 0.03593), (0.000447, 0.004097, 0.010921, 0.02143)),
    (2160, 5.0): (
        (0.000077, 0.004052, 0.013939, 0.026298),
        (0.000045, 0.000927, 0.005544, 0.013415),
    ),
    (720, 3.0): ((0.017329, 0.03087, 0.042134, 0.04741), (0.007509, 0.016707, 0.028072, 0.032722)),
    (720, 5.0): (
        (0.009689, 0.020577, 0.034162, 0.044523),
        (0.003302, 0.009579, 0.019661, 0.030318),
    ),
    (480, 3.0): (
        (0.024969, 0.037825, 0.046676, 0.043974),
        (0.012511, 0.023424, 0.032139, 0.030166),
    ),
    (480, 5.0): (
        (0.015665, 0.028766, 0.040612, 0.047483),
        (0.006514, 0.015107, 0.026476, 0.032776),
    ),
}
_TABLES = {2: _BLEND, 3: _BLEND_MAE}
for _table in _TABLES.values():
    _table[2160, 1.5] = _table[1080, 3.0]


def pixels_per_degree(view_distance: float, display_height: int) -> float:
    """Display resolution in pixels per degree of visual angle (56.55 at three heights of 1080)."""
    return view_distance * display_height * math.pi / 180.0


def watson(scale: int, view_distance: float, display_height: int) -> tuple[float, float]:
    """Weights from the visibility of quantisation noise of wavelet bands.

    Args:
        scale: wavelet scale, 0 (finest) to 3.
        view_distance: viewing distance in display heights.
        display_height: rows of the display.

    Returns:
        Weight of the horizontal and vertical bands, weight of the diagonal band; both are exact
        float32 values.

    Source: Watson, Yang, Solomon, Villasenor, Visibility of wavelet quantization noise, IEEE TIP
    1997, equation 9; rounding as in libvmaf's `dwt_quant_step`.
    """
    resolution = float(np.float32(pixels_per_degree(view_distance, display_height)))
    weights = []
    for factor, amplitudes in zip(_FREQUENCY_FACTORS, _AMPLITUDES, strict=True):
        factor = float(np.float32(factor))
        octaves = np.float32(math.log10(2.0 ** (scale + 1) * _WATSON_F0 * factor / resolution))
        exponent = np.float32(np.float32(_WATSON_K) * octaves) * octaves
        amplitude = float(np.float32(amplitudes[scale]))
        step = np.float32(2.0 * _WATSON_A * math.pow(10.0, float(exponent)) / amplitude)
        weights.append(float(np.float32(1.0) / step))
    return weights[0], weights[1]


def barten(
    scale: int,
    view_distance: float,
    display_height: int,
    csf_scale: float = 1.0,
    csf_diag_scale: float = 1.0,
) -> tuple[float, float]:
    """Weights from Barten's contrast sensitivity at 100 cd/m2 behind the eye's optics.

    Args:
        scale: wavelet scale, 0 (finest) to 3.
        view_distance: viewing distance in display heights.
        display_height: rows of the display.
        csf_scale: factor on the weight of the horizontal and vertical bands.
        csf_diag_scale: factor on the weight of the diagonal band.

    Returns:
        Weight of the horizontal and vertical bands, weight of the diagonal band.

    Both are exact float32 values.

    Source: libvmaf f85a853, `barten_csf_tools.h`. Every bit is the tool's.
    """
    u = np.float32(pixels_per_degree(view_distance, display_height)) / np.float32(2 ** (scale + 1))
    p0, p1, p2, p3 = _barten_parameters()
    rise = np.float32(1.0 + math.pow(p0 * u, p1))
    lobe = 1.0 - math.exp(-math.pow(u / np.float32(7.0), 2.0))
    fall = np.float32(1.0 / math.pow(lobe, p2))
    sensitivity = np.float32(float(p3) / math.sqrt(rise * fall)) * _barten_optics(u) * _adaptation()
    return tuple(float(np.float32(float(sensitivity) * x)) for x in (csf_scale, csf_diag_scale))  # type: ignore[return-value]


def _barten_parameters() -> list[np.float32]:
    """The four parameters at the luminance, linear in its logarithm."""
    (low, at_low), (high, at_high) = _BARTEN_ANCHORS
    left, right, here = (np.float32(math.log10(x)) for x in (low, high, _BARTEN_LUMINANCE))
    ends = [(np.float32(a), np.float32(b)) for a, b in zip(at_low, at_high, strict=True)]
    return [a + (b - a) / (right - left) * (here - left) for a, b in ends]


def _barten_optics(u: np.float32) -> np.float32:
    """What the eye's optics let pass at `u` cycles per degree."""
    passed = np.float32(0.0)
    for share, decay in _BARTEN_MTF:
        exponent = float(-np.float32(decay) * u)
        passed = np.float32(float(passed) + float(np.float32(share)) * math.exp(exponent))
    return passed


def _adaptation() -> np.float32:
    """Sensitivity of rods and cones at the luminance."""
    gain, drop, slope, low = (np.float32(x) for x in _BARTEN_ADAPTATION)
    ratio = math.pow(drop / np.float32(_BARTEN_LUMINANCE), slope)
    return np.float32(float(gain) * math.pow(ratio + 1.0, -low))


def native(scale: int, view_distance: float, display_height: int) -> tuple[float, float]:
    """Weights of the original ADM, `(0.31 + 0.69 u) exp(-0.29 u)` of u cycles per degree.

    Args:
        scale: wavelet scale, 0 (finest) to 3.
        view_distance: viewing distance in display heights.
        display_height: rows of the display.

    Returns:
        Weight of the horizontal and vertical bands, weight of the diagonal band (u / 0.7).

    Source: Li, Zhang, Ma, Ngan, Image quality assessment by separately evaluating detail losses
    and additive impairments, IEEE TMM 2011; libvmaf f85a853.
    """
    u = pixels_per_degree(view_distance, display_height) / 2.0 ** (scale + 1)
    straight, diagonal = ((0.31 + 0.69 * f) * math.exp(-0.29 * f) for f in (u, u / 0.7))
    return straight, diagonal


def blend(mode: int, scale: int, view_distance: float, display_height: int) -> tuple[float, float]:
    """Weights tabulated between Barten's and Watson's, for some displays only.

    Args:
        mode: 2 for the Barten-Watson blend, 3 for its mean-absolute-error form.
        scale: wavelet scale, 0 (finest) to 3.
        view_distance: viewing distance in display heights.
        display_height: rows of the display.

    Returns:
        Weight of the horizontal and vertical bands, weight of the diagonal band.

    Raises:
        ValueError: a mode or a pair of display height and distance that has no table.

    Source: libvmaf f85a853, `adm_csf_tools.h`, modes 2 and 3 of the integer feature.
    """
    if mode not in _TABLES:
        raise ValueError(f"blend tables exist for modes 2 and 3, got {mode!r}.")
    rows = _TABLES[mode].get((display_height, view_distance))
    if rows is None:
        raise ValueError(
            f"contrast sensitivity mode {mode} has no table for a display of {display_height} rows "
            f"at {view_distance:g} heights: pick rows x heights among {blend_displays(mode)}."
        )
    return rows[0][scale], rows[1][scale]


def blend_displays(mode: int) -> str:
    """The displays that have a blend table, as text: `1080 x 3, 1080 x 5, ...`."""
    return ", ".join(f"{rows} x {distance:g}" for rows, distance in sorted(_TABLES[mode]))
