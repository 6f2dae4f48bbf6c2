"""PSNR and ANSNR in numpy float64, written from the equations; one pair of planes a call."""

import math

import numpy as np

NARROW = np.outer((1, 2, 1), (1, 2, 1)) / 16
_QUARTER = np.array([[2, 7, 12], [7, 31, 52], [12, 52, 127]])
_HALF = np.concatenate([_QUARTER, _QUARTER[1::-1]])
WIDE = np.concatenate([_HALF, _HALF[:, 1::-1]], 1) / 571


def mse(ref, dis):
    """Mean squared error by whole numbers."""
    change = ref.astype(object) - dis.astype(object)
    return float((change**2).sum()) / change.size


def cap(bit_depth, shape=None, min_sse=0.0, peak=None):
    """The highest PSNR that is reported."""
    if not min_sse:
        return 6 * bit_depth + 12
    peak = peak or 2**bit_depth - 1
    level = 10 * math.log10(peak**2 * shape[0] * shape[1] / min_sse)
    return level if math.isinf(level) else math.ceil(level)


def psnr(ref, dis, bit_depth, peak=None, min_sse=0.0):
    """PSNR of a plane of codes."""
    peak = peak or 2**bit_depth - 1
    error = max(mse(ref, dis), 1e-16)
    return min(10 * math.log10(peak**2 / error), cap(bit_depth, ref.shape, min_sse, peak))


def apsnr(ref, dis, bit_depth):
    """PSNR of a plane of all frames `(frames, height, width)`."""
    peak = 2**bit_depth - 1
    top = math.ceil(10 * math.log10(2 * peak**2 * ref.size))
    error = mse(ref, dis)
    return top if error == 0 else min(10 * math.log10(peak**2 / error), top)


def filtered(image, kernel):
    """Correlation; index -k reads k before the picture, N-1+k reads N-k behind it."""
    radius = len(kernel) // 2
    height, width = image.shape

    def index(size):
        i = np.arange(-radius, size + radius)
        i = np.abs(i)
        return np.where(i >= size, 2 * size - 1 - i, i)

    wide = image[np.ix_(index(height), index(width))]
    return sum(
        kernel[i, j] * wide[i : i + height, j : j + width]
        for i in range(len(kernel))
        for j in range(len(kernel))
    )


def ansnr(ref, dis, bit_depth=8):
    """float_ansnr and float_anpsnr of luma on the 8-bit scale."""
    signal, other = filtered(ref - 128.0, NARROW), filtered(dis - 128.0, WIDE)
    power, noise = (signal**2).sum(), ((signal - other) ** 2).sum()
    peak, top = 256 - 2.0 ** (8 - bit_depth), 6 * bit_depth + 12
    if noise < 1e-18 * ref.size:  # rounding of flat pictures
        return top, top
    return (
        10 * math.log10(max(power, 1e-10 * ref.size) / noise),
        min(10 * math.log10(peak**2 * ref.size / noise), top),
    )
