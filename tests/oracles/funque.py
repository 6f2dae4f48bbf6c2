"""FUNQUE+ in plain float64 numpy, written from a description of the reference, one frame at a time.

Independent of jaxvqa: the resize is a table of taps, windows are strided views, DLM uses angles and
ratios. A picture is a dict {"y", "u", "v"} of code values.
"""

import numpy as np

LEVEL_WEIGHTS = {  # (H, V, D), finest first
    "nadenau_weight": [(0.04299846,) * 2 + (0.00556257,), (0.42474743,) * 2 + (0.18536903,)],
    "li": [(0.00544585178,) * 2 + (0.00023055401,), (0.16683506215,) * 2 + (0.04074566701,)],
    "watson_y": [
        (0.01738153, 0.01738153, 0.00589069),
        (0.03198481, 0.03198481, 0.01429907),
        (0.04337266, 0.04337266, 0.02439691),
    ],
    "watson_u": [
        (0.00513065, 0.00513065, 0.00182899),
        (0.00831135, 0.00831135, 0.00379459),
        (0.01040081, 0.01040081, 0.00580073),
    ],
    "watson_v": [
        (0.00599886, 0.00599886, 0.00164671),
        (0.01253507, 0.01253507, 0.00468441),
        (0.01886397, 0.01886397, 0.00915396),
    ],
}
NGAN = [-0.01373464, -0.01608515, -0.01890698, -0.02215702, -0.02546262, -0.02742965]
NGAN += [-0.02361034, -0.00100996, 0.07137023, 0.22121922, 0.3279824]
NADENAU = [0.02531332, 0.23100677, 0.47597679]
ROOT = 0.7071067811865476


def cubic(t, a=-0.75):
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a


def resize_matrix(size):
    """Bicubic to half the size: one row of weights per output sample, edge samples repeated."""
    target = size // 2
    matrix = np.zeros((target, size))
    for i in range(target):
        centre = (i + 0.5) * size / target - 0.5
        low = int(np.floor(centre))
        for k in range(low - 1, low + 3):
            matrix[i, min(max(k, 0), size - 1)] += cubic(centre - k)
    return matrix


def to_luma_size(plane, height, width):
    """2x2 repetition, cut to an odd luma size."""
    rows = 1 if plane.shape[0] == height else 2
    columns = 1 if plane.shape[1] == width else 2
    return plane.repeat(rows, 0).repeat(columns, 1)[:height, :width]


def halve(plane, height, width, bit_depth):
    codes = to_luma_size(plane, height, width).astype(float)
    half = resize_matrix(height) @ codes @ resize_matrix(width).T
    # the products of even sizes are exact up to 1e-12; take off that noise before rounding to even
    return np.clip(np.rint(np.round(half, 8)), 0, 255 if bit_depth == 8 else 65535)


def crop(x, multiple):
    return x[: x.shape[0] // multiple * multiple, : x.shape[1] // multiple * multiple]


def blurred(x, half_filter):
    taps = [*half_filter, *half_filter[-2::-1]]
    radius = len(taps) // 2
    for axis in (0, 1):
        around = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(x, around, "symmetric")
        x = sum(np.take(padded, np.arange(x.shape[axis]) + k, axis) * t for k, t in enumerate(taps))
    return x


def haar(x):
    def split(z):
        low = z[:, 1::2] * ROOT + z[:, 0::2] * ROOT
        return low, z[:, 1::2] * -ROOT + z[:, 0::2] * ROOT

    low, high = x[1::2] * ROOT + x[0::2] * ROOT, x[1::2] * -ROOT + x[0::2] * ROOT
    (a, v), (h, d) = split(low), split(high)
    return a, (h, v, d)


def pyramid(x, levels, weights=None):
    approximations, details = [], []
    for level in range(levels):
        x, bands = haar(x)
        if weights:
            bands = tuple(b * w for b, w in zip(bands, weights[level], strict=True))
        approximations.append(x)
        details.append(bands)
    return approximations, details


def coefficient_of_variation(m):
    return m.std() / m.mean()


def ssim_maps(p, q):
    """[(luminance * contrast-structure, contrast-structure)] of every level."""
    var_x = var_y = cov = 0
    maps = []
    for level in range(1, len(p[0]) + 1):
        if level > 1:
            var_x, var_y, cov = (
                (v[0::2, 0::2] + v[0::2, 1::2] + v[1::2, 0::2] + v[1::2, 1::2]) / 4
                for v in (var_x, var_y, cov)
            )
        mu_x, mu_y = p[0][level - 1] / 2**level, q[0][level - 1] / 2**level
        for x, y in zip(p[1][level - 1], q[1][level - 1], strict=True):
            var_x, var_y, cov = (
                var_x + x * x / 4**level, var_y + y * y / 4**level, cov + x * y / 4**level,
            )  # fmt: skip
        structure = (2 * cov + 9e-4) / (var_x + var_y + 9e-4)
        luminance = (2 * mu_x * mu_y + 1e-4) / (mu_x**2 + mu_y**2 + 1e-4)
        maps.append((luminance * structure, structure))
    return maps


def ms_ssim(p, q, pool=coefficient_of_variation):
    exponents = (0.0448, 0.2856, 0.3001)
    maps = ssim_maps(p, q)
    pooled = [pool(structure) for _, structure in maps[:-1]] + [pool(maps[-1][0])]
    powers = [np.sign(v) * abs(v) ** e for v, e in zip(pooled, exponents, strict=False)]
    return np.prod(powers)


def window_sum(x, side):
    padded = np.pad(x, side // 2, "reflect")
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).sum((-1, -2))


def dlm(x, y):
    height, width = x[0].shape
    rows, columns = int(0.2 * height), int(0.2 * width)
    if rows == 0 or columns == 0:
        return 1.0

    def angle(d):
        return np.arctan(d[1] / (d[0] + 1e-30)) + np.pi * (d[0] <= 0)

    def norm(z):
        return (z[rows:-rows, columns:-columns] ** 3).sum() ** (1 / 3)

    aligned = np.abs(angle(x) - angle(y)) * 180 / np.pi < 1
    rest = [
        np.where(aligned, b, np.clip(b / (a + 1e-30), 0, 1) * a) for a, b in zip(x, y, strict=True)
    ]
    added = [np.abs(b - r) for b, r in zip(y, rest, strict=True)]
    threshold = sum((window_sum(a, 3) + a) / 30 for a in added)
    kept = sum(norm(np.maximum(np.abs(r) - threshold, 0)) for r in rest)
    return (kept + 1e-4) / (sum(norm(np.abs(a)) for a in x) + 1e-4)


def vif(x, y):
    def mean(z):
        return window_sum(z, 9) / 81

    mu_x, mu_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mu_x**2, mean(y * y) - mu_y**2
    cov = mean(x * y) - mu_x * mu_y
    cov[(var_x < 0) | (var_y < 0)] = 0
    var_x, var_y = np.maximum(var_x, 0), np.maximum(var_y, 0)
    gain = cov / (var_x + 1e-10)
    noise = var_y - gain * cov
    flat = var_x < 1e-10
    gain[flat], noise[flat], var_x[flat] = 0, var_y[flat], 0
    flat = var_y < 1e-10
    gain[flat], noise[flat] = 0, 0
    opposed = gain < 0
    noise[opposed], gain[opposed] = var_x[opposed], 0
    noise = np.maximum(noise, 1e-10)
    carried = np.log(1 + gain**2 * var_x / (noise + 5)) + 1e-4
    return carried.sum() / (np.log(1 + var_x / 5) + 1e-4).sum()


def entropy(z):
    variance = np.maximum(window_sum(z * z, 9) / 81 - (window_sum(z, 9) / 81) ** 2, 0)
    return np.log1p(variance), np.log(variance + 0.1) + np.log(2 * np.pi * np.e)


def rred(p, q, p_before, q_before):
    """(spatial, temporal, product), means over levels."""
    spatial, temporal = [], []
    for level in zip(p[1], q[1], p_before[1], q_before[1], strict=True):
        s, t = [], []
        for x, y, x_before, y_before in zip(*level, strict=True):
            (a_x, h_x), (a_y, h_y) = entropy(x), entropy(y)
            (b_x, k_x), (b_y, k_y) = entropy(x - x_before), entropy(y - y_before)
            s.append(np.abs(a_x * h_x - a_y * h_y).mean())
            t.append(np.abs(a_x * b_x * k_x - a_y * b_y * k_y).mean())
        spatial.append(np.mean(s))
        temporal.append(np.mean(t))
    return np.mean(spatial), np.mean(temporal), np.mean(np.multiply(spatial, temporal))


def detail_change(p, q):
    return sum(np.abs(a) - np.abs(b) for a, b in zip(p[1][-1], q[1][-1], strict=True))


def activity(p):
    horizontal, vertical, _ = p[1][-1]
    return np.hypot(horizontal, vertical).std() ** 0.25


def _apart(a, b):
    return np.abs(a - b).mean()


def _pyramids(picture, bit_depth, half, multiple, levels, weights=None, half_filter=None):
    height, width = picture["y"].shape
    found = {}
    for channel, plane in picture.items():
        if half:
            codes = halve(plane, height, width, bit_depth)
        else:
            codes = to_luma_size(plane, height, width).astype(float)
        x = crop(codes, multiple) / (2**bit_depth - 1)
        x = x if half_filter is None else blurred(x, half_filter)
        table = weights(channel) if weights else None
        found[channel] = pyramid(x, levels, table)
    return found


def pyramids(name, picture, bit_depth):
    """{channel: pyramid} of a picture for one of the sets."""
    if name == "funque":
        return _pyramids(picture, bit_depth, True, 4, 2, half_filter=NGAN)
    if name == "y_funque_plus":
        return _pyramids(picture, bit_depth, True, 4, 2, lambda c: LEVEL_WEIGHTS["nadenau_weight"])
    if name == "3c_funque_plus":
        return _pyramids(picture, bit_depth, True, 4, 2, lambda c: LEVEL_WEIGHTS["li"])
    if name == "fs_y_funque_plus":
        return _pyramids(picture, bit_depth, False, 4, 2, half_filter=NADENAU)
    return _pyramids(picture, bit_depth, False, 8, 3, lambda c: LEVEL_WEIGHTS[f"watson_{c}"])


def frame(name, ref, dis, ref_before, dis_before, bit_depth):
    """Outputs of one frame, in the reference's order; the frame before may be None."""
    p, q = pyramids(name, ref, bit_depth), pyramids(name, dis, bit_depth)
    first = ref_before is None
    p0, q0 = (p, q) if first else (pyramids(name, x, bit_depth) for x in (ref_before, dis_before))
    x, y = p["y"], q["y"]
    if name == "funque":
        (finest, _) = ssim_maps(x, y)[0]
        return [
            coefficient_of_variation(finest), dlm(x[1][0], y[1][0]),
            _apart(x[0][0], p0["y"][0][0]), vif(x[0][0], y[0][0]), vif(x[0][1], y[0][1]),
        ]  # fmt: skip
    both = [ms_ssim(x, y), dlm(x[1][-1], y[1][-1])]
    if name == "y_funque_plus":
        return [*both, _apart(x[0][-1], p0["y"][0][-1])]
    channel = "u" if name == "fs_3c_funque_plus" else "y"
    four = (p[channel], q[channel], p0[channel], q0[channel])
    spatial, temporal, product = (0, 0, 0) if first else rred(*four)
    motion = _apart(q[channel][0][-1], q0[channel][0][-1])
    if name == "fs_y_funque_plus":
        return [*both, product, motion, activity(x) - activity(y)]
    edge = -np.minimum(detail_change(p["u"], q["u"]), 0).mean()
    error = _apart(p["v"][0][-1], q["v"][0][-1])
    if name == "3c_funque_plus":
        return [both[0], spatial, temporal, both[1], motion, edge, error]
    blur = np.maximum(detail_change(p["v"], q["v"]), 0).mean()
    return [
        *both, activity(x) - activity(y), motion, spatial, temporal, edge, error, blur,
    ]  # fmt: skip
