"""CIEDE2000 in float64 numpy, written from its description; angles in degrees."""

import numpy as np

MATRIX = np.array(
    [
        [0.4124564390896921, 0.357576077643909, 0.18043748326639894],
        [0.21267285140562248, 0.715152155287818, 0.07217499330655958],
        [0.019333895582329317, 0.119192025881303, 0.9503040785363677],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(y, u, v, bit_depth=8):
    s = 2.0 ** (bit_depth - 8)
    y, u, v = (np.asarray(c, np.float64) for c in (y, u, v))
    y, u, v = (y - 16 * s) / (219 * s), (u - 128 * s) / (224 * s), (v - 128 * s) / (224 * s)
    rgb = np.stack([y + 1.28033 * v, y - 0.21482 * u - 0.38059 * v, y + 2.12798 * u], -1)
    base = np.where(rgb > 10 / 255, (rgb + 0.055) / 1.055, 1)
    light = np.where(rgb > 10 / 255, base**2.4, rgb / 12.92)
    xyz = light @ MATRIX.T / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])]
    )


def cosd(x):
    return np.cos(np.radians(x))


def difference(lab1, lab2, weights=(0.65, 1.0, 4.0)):
    """CIEDE2000 of two arrays of colours, `(3, ...)`."""
    (l1, a1, b1), (l2, a2, b2) = lab1, lab2
    plain1, plain2 = np.hypot(a1, b1), np.hypot(a2, b2)
    mean7 = ((plain1 + plain2) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean7 / (mean7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    dh = h2 - h1
    dh = np.where(dh > 180, dh - 360, np.where(dh < -180, dh + 360, dh))
    dh = np.where((plain1 == 0) | (plain2 == 0), 0, dh)
    hue = (h1 + h2 + np.where(np.abs(h1 - h2) > 180, 360, 0)) / 2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * cosd(hue - 30) + 0.24 * cosd(2 * hue)
    t += 0.32 * cosd(3 * hue + 6) - 0.20 * cosd(4 * hue - 63)
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    dl = (l2 - l1) / (weights[0] * sl)
    dc = (c2 - c1) / (weights[1] * (1 + 0.045 * chroma))
    big = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    big = big / (weights[2] * (1 + 0.015 * chroma * t))
    theta = 30 * 2 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(theta))
    return np.sqrt(dl**2 + dc**2 + big**2 + rotation * dc * big)


def mean_difference(ref, dis, bit_depth=8):
    """Of two 4:4:4 frames, each `(3, h, w)`."""
    return difference(lab(*ref, bit_depth), lab(*dis, bit_depth)).mean()
