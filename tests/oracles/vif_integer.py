"""libvmaf's fixed-point VIF in 64-bit numpy, whole planes, written from the description.

Every quantity is an int64 with room to spare and every border is an index list, so nothing here
depends on how the package splits, folds or tiles its sums.
"""

import math

import numpy as np

TAPS = (
    [489, 935, 1640, 2640, 3896, 5274, 6547, 7455, 7784,
     7455, 6547, 5274, 3896, 2640, 1640, 935, 489],
    [1244, 3663, 7925, 12590, 14692, 12590, 7925, 3663, 1244],
    [3571, 16004, 26386, 16004, 3571],
    [10904, 43728, 10904],
)  # fmt: skip
NOISE = 131072


def mirrored(size, radius):
    """Indices of an axis extended by `radius` samples that mirror about its edge samples."""
    index = np.abs(np.arange(-radius, size + radius))
    return np.where(index >= size, 2 * (size - 1) - index, index)


def correlated(plane, taps, axis):
    """Same-size correlation of int64 samples with mirrored borders, not rounded."""
    size = plane.shape[axis]
    wide = np.take(plane, mirrored(size, len(taps) // 2), axis=axis)
    return sum(t * np.take(wide, np.arange(k, k + size), axis=axis) for k, t in enumerate(taps))


def rounded(x, bits):
    return (x + (1 << bits >> 1)) >> bits


def _log_entry(i):
    # the reference holds the logarithm in float32 and rounds halves up
    return math.floor(2048.0 * float(np.float32(math.log2(i))) + 0.5)


LOG = np.array([_log_entry(i) for i in range(32768, 65536)], np.int64)


def log2_2048(x):
    bits = np.array([int(v).bit_length() for v in x.ravel()], np.int64).reshape(x.shape)
    return LOG[(x >> (bits - 16)) - 32768] + 2048 * (bits - 16)


def _local_moments(ref, dis, scale, bit_depth):
    taps = TAPS[scale]
    first, second = (bit_depth, 2 * (bit_depth - 8)) if scale == 0 else (16, 16)
    mean = [correlated(rounded(correlated(x, taps, 0), first), taps, 1) for x in (ref, dis)]
    moments = []
    for i, j in ((0, 0), (1, 1), (0, 1)):
        product = (ref, dis)[i] * (ref, dis)[j]
        power = rounded(correlated(rounded(correlated(product, taps, 0), second), taps, 1), 16)
        # the product of two 32-bit means fills 64 bits
        square = mean[i].astype(np.uint64) * mean[j].astype(np.uint64)
        moments.append(power - ((square + np.uint64(1 << 31)) >> np.uint64(32)).astype(np.int64))
    return moments


def split_gain(variance, variance_dis, covariance, limit):
    """Added noise and gained signal in C's double arithmetic, truncated."""
    gain = covariance / (variance + 65536e-10)
    explained = gain * covariance
    noise = np.maximum(np.trunc(variance_dis - explained).astype(np.int64), 0)
    gain = np.minimum(gain, limit)
    return noise, np.trunc(gain * gain * variance).astype(np.int64)


def _sums(ref, dis, scale, bit_depth, limit):
    variance, variance_dis, covariance = _local_moments(ref, dis, scale, bit_depth)
    variance_dis = np.maximum(variance_dis, 0)
    busy = variance >= NOISE
    there = int((log2_2048(variance[busy] + NOISE) - 17 * 2048).sum())
    use = busy & (covariance > 0) & (variance_dis > 0)
    noise, signal = split_gain(variance[use], variance_dis[use], covariance[use], limit)
    kept = int((log2_2048(noise + NOISE + signal) - log2_2048(noise + NOISE)).sum())
    quiet = int((~busy).sum())
    power = int(variance_dis[~busy].sum())
    num = kept / 2048.0 + (quiet - power / 16384.0 / 65025.0)
    return np.float32(num), np.float32(there / 2048.0 + quiet)


def _next_scale(plane, scale, bit_depth):
    taps = TAPS[scale]
    vertical = rounded(correlated(plane, taps, 0), bit_depth if scale == 1 else 16)
    both = rounded(correlated(vertical, taps, 1), 16)
    height, width = plane.shape
    return both[: height // 2 * 2 : 2, : width // 2 * 2 : 2]


def vif(ref, dis, bit_depth, limit=100.0, skip_scale0=False):
    """All outputs of one frame by name, float32."""
    ref, dis = ref.astype(np.int64), dis.astype(np.int64)
    out, total = {}, np.zeros(2)
    for scale in range(4):
        if scale > 0:
            ref, dis = (_next_scale(x, scale, bit_depth) for x in (ref, dis))
        if scale == 0 and skip_scale0:
            num, den, score = np.float32(0), np.float32(-1), np.float32(0)
        else:
            num, den = _sums(ref, dis, scale, bit_depth, limit)
            score = num / den
            total += float(num), float(den)
        out[f"integer_vif_scale{scale}"] = score
        out[f"integer_vif_num_scale{scale}"] = num
        out[f"integer_vif_den_scale{scale}"] = den
    out["integer_vif_num"], out["integer_vif_den"] = total.astype(np.float32)
    out["integer_vif"] = np.float32(total[0] / total[1])
    return out
