"""libvmaf's speed_chroma and speed_temporal in float64 numpy, written from their description."""

import math

import numpy as np

WEIGHTS = {
    0: ((1, 0), (0, 1)),
    1: ((1, 0), (1, 0)),
    2: ((0, 1), (0, 1)),
    3: ((0.5, 0.5), (0.5, 0.5)),
    4: ((1, 0), (0.5, 0.5)),
    5: ((1, 0), (0.75, 0.25)),
    6: ((1, 0), (0.25, 0.75)),
}


def filter_width(scale, kernel_scale):
    width = math.ceil(float(np.float32(2 ** (4 - scale) + 1) * np.float32(kernel_scale)))
    return max(width + (width % 2 == 0), 3)


def gaussian(width, sigma):
    x = np.arange(width) - width // 2
    taps = np.exp(-0.5 * (x / sigma) ** 2)
    return taps / taps.sum()


def mirrored(size, radius):
    index = np.abs(np.arange(-radius, size + radius))
    return np.where(index >= size, 2 * size - index - 2, index)


def smooth(image, taps):
    for axis in (0, 1):
        size = image.shape[axis]
        padded = np.take(image, mirrored(size, len(taps) // 2), axis)
        parts = [t * np.take(padded, np.arange(size) + k, axis) for k, t in enumerate(taps)]
        image = sum(parts)
    return image


def resize_matrix(size, target, method):
    """target x size weights of one axis."""
    ratio = np.float32(size) / np.float32(target)
    out = np.zeros((target, size))
    rows = np.arange(target)
    if method == "nearest":
        out[rows, (np.arange(target, dtype=np.float32) * ratio).astype(int)] = 1
        return out
    centre = ((rows + 0.5) * float(ratio) - 0.5).astype(np.float32).astype(float)

    def inside(i):
        i = np.where(i < 0, -i, i)
        return np.where(i > size - 1, 2 * (size - 1) - i, i).astype(int)

    if method == "bilinear":
        first, second = inside(np.floor(centre)), inside(np.ceil(centre))
        share = centre - first
        np.add.at(out, (rows, first), 1 - share)
        np.add.at(out, (rows, second), share)
        return out
    low = np.floor(centre)
    offsets = range(-1, 3) if method == "bicubic" else range(-4, 5)
    for o in offsets:
        t = np.abs(o - (centre - low))
        if method == "bicubic":
            near, far = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)
            weight = np.where(t < 1, near, np.where(t < 2, far, 0))
        else:
            weight = np.where(t < 4, np.sinc(t) * np.sinc(t / 4), 0)
        np.add.at(out, (rows, inside(low + o)), weight)
    return out if method == "bicubic" else out / out.sum(1, keepdims=True)


def band(plane, kernel_scale=1.0, prescale=1.0, method="nearest"):
    height, width = plane.shape
    if abs(prescale - 1) >= 1e-3:
        height, width = int(height * prescale + 0.5), int(width * prescale + 0.5)
        plane = (
            resize_matrix(plane.shape[0], height, method)
            @ plane
            @ resize_matrix(plane.shape[1], width, method).T
        )
    wide, narrow = filter_width(1, kernel_scale), filter_width(4, kernel_scale)
    low = smooth(plane, gaussian(wide, 2 * wide / 5))
    low = low[: height // 16 * 16 : 16, : width // 16 * 16 : 16]
    return low - smooth(low, gaussian(narrow, narrow / 5))


def statistics(y, noise, rounded):
    height, width = (n // 5 * 5 for n in y.shape)
    y = y[:height, :width]
    positions = [(i, j) for i in range(5) for j in range(5)]
    windows = np.stack([y[i : height - 4 + i, j : width - 4 + j].ravel() for i, j in positions])
    blocks = np.stack([y[i::5, j::5].ravel() for i, j in positions])
    covariance = np.cov(windows, bias=True)
    if rounded:
        covariance = covariance.astype(np.float32).astype(float)
    eigenvalues = np.linalg.eigvalsh(covariance)
    regular = bool((eigenvalues >= 1e-6).all()) and windows.shape[1] > 25
    scale = np.zeros(blocks.shape[1])
    if regular:
        scale = (blocks * np.linalg.solve(covariance, blocks)).sum(0) / 25
    inner = np.maximum(eigenvalues, 0)[:, None] * scale + noise
    return scale, (np.log2(inner) + np.log2(2 * np.pi * np.e)).sum(0), regular


def score(ref, dis, noise=0.29, floor=0.0, mode=0, rounded=True, **shape):
    """(score, flagged) of a pair of planes on the 8-bit scale."""
    s_ref, e_ref, ok_ref = statistics(band(ref, **shape), noise, rounded)
    s_dis, e_dis, ok_dis = statistics(band(dis, **shape), noise, rounded)
    if ok_ref != ok_dis:
        return 0.0, True
    base = 25 * (np.log2((1 + floor) * noise) + np.log2(2 * np.pi * np.e))
    (a, b), (c, d) = WEIGHTS[mode]
    terms = e_ref * np.log2(1 + a * s_ref + b * s_dis) - e_dis * np.log2(1 + c * s_ref + d * s_dis)
    terms[(e_ref < base) & (e_dis < base)] = 0
    return float(np.abs(terms).mean()), not ok_ref


def chroma(ref, dis, maximum=1000.0, **options):
    """`ref`, `dis`: (u, v) planes on the 8-bit scale."""
    (u, bad_u), (v, bad_v) = (score(r, d, **options) for r, d in zip(ref, dis, strict=True))
    both = v if bad_u and not bad_v else u if bad_v and not bad_u else (u + v) / 2
    return [min(x, maximum) for x in (u, v, both)]


def temporal(ref, dis, use_ref_diff=False, **options):
    """Values of all frames of luma stacks on the 8-bit scale."""
    values = [0.0]
    for i in range(1, len(ref)):
        now = ref[i] if use_ref_diff else dis[i]
        values.append(score(ref[i - 1] - ref[i], dis[i - 1] - now, **options)[0])
    return values
