"""CAMBI in plain numpy: int64 counts from summed-area tables, float64 pooling.

Written from the description of the algorithm, one whole-picture count per code, no tiles.
"""

import numpy as np

WEIGHTS = [1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7] + [8] * 7 + [9] * 10
DEFAULTS = {
    "enc_width": 0, "enc_height": 0, "enc_bitdepth": 0, "window_size": 65, "topk": 0.6,
    "tvi_threshold": 0.019, "vis_lum_threshold": 0.0, "max_log_contrast": 2, "eotf": "bt1886",
    "high_res_speedup": 0, "max_val": 1000.0,
}  # fmt: skip


def luminance(codes, eotf):
    signal = (np.clip(np.asarray(codes, float), 64, 940) - 64) / 876
    if eotf == "bt1886":
        white, black = 300.0 ** (1 / 2.4), 0.01 ** (1 / 2.4)
        return ((white - black) * signal + black) ** 2.4
    root = signal ** (1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return 10000 * ratio ** (1 / 0.1593017578125)


def thresholds(count, tvi, eotf):
    """For each contrast the last code that sees it; by looking at every code, not by bisection."""
    found = []
    for d in range(1, count + 1):
        codes = np.arange(64, 940 - d + 1)
        low = luminance(codes, eotf)
        visible = luminance(codes + d, eotf) - low > tvi * low
        if not visible[0]:
            found.append(0)
        elif visible[-2:].all():  # whatever lies between
            found.append(1023)
        else:
            found.append(64 + int(np.argmin(visible)) - 1)
    return found


def darkest(threshold, eotf):
    code = 64 + int(np.argmax(luminance(np.arange(64, 941), eotf) >= threshold))
    return 0 if code == 64 else code


def nearest(picture, height, width):
    if picture.shape == (height, width):
        return picture
    for axis, size in ((0, height), (1, width)):
        ratio = np.float32(picture.shape[axis]) / np.float32(size)
        position, index = np.float32(float(ratio / np.float32(2)) - 0.5), []
        for _ in range(size):
            index.append(int(float(position) + 0.5))
            position = np.float32(position + ratio)
        picture = picture.take(index, axis)
    return picture


def ten_bits(picture, depth, enc_depth):
    x = picture.astype(np.int64)
    x = x << (10 - depth) if depth <= 10 else (x + (1 << (depth - 11))) >> (depth - 10)
    if enc_depth >= 10:
        return x
    out = x.copy()
    out[:-1, :-1] = (x[:-1, :-1] + x[:-1, 1:] + x[1:, :-1] + x[1:, 1:]) >> 2
    out[:-1, -1] = (x[:-1, -1] + x[1:, -1]) >> 1
    out[-1, :-1] = (x[-1, :-1] + x[-1, 1:]) >> 1
    return out


def box_sum(x, half):
    """Sum over the square around each entry, cut at the borders."""
    height, width = x.shape
    table = np.zeros((height + 1, width + 1), np.int64)
    table[1:, 1:] = x.astype(np.int64).cumsum(0).cumsum(1)
    top, bottom = (
        np.maximum(np.arange(height) - half, 0),
        np.minimum(np.arange(height) + half + 1, height),
    )
    left, right = (
        np.maximum(np.arange(width) - half, 0),
        np.minimum(np.arange(width) + half + 1, width),
    )
    rows = table[bottom] - table[top]
    return rows[:, right] - rows[:, left]


def flat_areas(x):
    height, width = x.shape
    equal = np.ones(x.shape, bool)
    equal[:, :-1] &= x[:, :-1] == x[:, 1:]
    equal[:-1] &= x[:-1] == x[1:]
    blocks = (width >> 6) * (height >> 6)
    log_size = int(np.ceil(np.log2(blocks))) if blocks > 1 else 0
    return box_sum(equal, 3) > ((49 + 3 * (log_size - 11) - 1) >> 1)


def mode_filter(x):
    def mode(triples):
        middle = np.sort(triples, 0)
        low, mid, high = middle
        return np.where((low == mid) | (mid == high), mid, low)

    across = x.copy()
    across[:, 1:-1] = mode(np.stack([x[:, :-2], x[:, 1:-1], x[:, 2:]]))
    out = x.copy()
    out[1:-1] = mode(np.stack([across[:-2], across[1:-1], across[2:]]))
    return out


def responses(codes, taking_part, half, bands):
    """float32 responses; `bands` holds (weight, lowest, highest code) of contrasts 1, 2, ..."""
    out = np.zeros(codes.shape, np.float32)

    def count(code):
        return box_sum((codes == code) & taking_part, half)

    for code in np.unique(codes[taking_part]):
        here = (codes == code) & taking_part
        own = count(code)[here]
        for d, (weight, low, high) in enumerate(bands, 1):
            if not low <= code <= high:
                continue
            other = np.maximum(count(code + d), count(code - d))[here]
            reciprocal = np.float32(1) / (own + other).astype(np.float32)
            value = (weight * own * other).astype(np.float32) * reciprocal
            out[here] = np.maximum(out[here], value)
    return out


def scales(picture, depth, enc_size, src_size=None, **options):
    """Responses of the five scales and the window; `src_size` where a reference is examined."""
    o = DEFAULTS | options
    height, width = src_size or enc_size
    pixels = {1080: 1920 * 1080, 1440: 2560 * 1440, 2160: 3840 * 2160}.get(o["high_res_speedup"])
    halved = pixels is not None and enc_size[0] * enc_size[1] >= pixels
    window = (o["window_size"] * (width + height) // 375) >> 4
    window = ((window + 1) >> 1 if halved else window) | 1
    count = 2 ** o["max_log_contrast"]
    dark = darkest(o["vis_lum_threshold"], o["eotf"])
    tops = thresholds(count, o["tvi_threshold"], o["eotf"])
    bands = [(WEIGHTS[d - 1], dark - count - d + 1, tops[d - 1]) for d in range(1, count + 1)]

    codes = ten_bits(nearest(picture, height, width), depth, o["enc_bitdepth"] or depth)
    flat = flat_areas(codes)
    found = []
    for scale in range(5):
        if scale or halved:
            codes, flat = codes[::2, ::2], flat[::2, ::2]
        codes = mode_filter(codes)
        found.append(responses(codes, flat, window // 2, bands))
    return found, window


def score(picture, depth, src_size=None, **options):
    """Unlimited score of one frame."""
    o = DEFAULTS | options
    enc_size = (o["enc_height"], o["enc_width"])
    if 0 in enc_size or enc_size[0] > picture.shape[0] or enc_size[1] > picture.shape[1]:
        enc_size = picture.shape
    found, window = scales(picture, depth, enc_size, src_size, **options)
    total = 0.0
    for weight, x in zip((16, 8, 4, 2, 1), found, strict=True):
        count = min(max(int(o["topk"] * x.size), 1), x.size)
        total += weight * np.sort(x.ravel())[x.size - count :].astype(float).mean()
    return total / window**2
