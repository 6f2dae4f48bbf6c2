"""libvmaf's integer ADM in plain int64 numpy, written from the description of its C arithmetic.

Whole pictures, index lists for borders, the division as a true integer division; numbers are cut to
the 16 or 32 bits of the C variables where those can overflow.
"""

import math

import numpy as np

LOW = (15826, 27411, 7345, -4240)
HIGH = (-4240, -7345, 27411, -15826)
f32 = np.float32


# (mode, distance, height): straight and diagonal sensitivity at scales 0 to 3
TABLES = {
    (2, 3.0, 1080): [
        (0.01183, 0.025026, 0.04295, 0.058621),
        (0.004302, 0.011778, 0.023918, 0.035901),
    ],
    (3, 3.0, 1080): [
        (0.011249, 0.022606, 0.03593, 0.045673),
        (0.004097, 0.010921, 0.02143, 0.031313),
    ],
}
# Barten's sensitivity at scales 0 to 3 for 3 heights of 1080 rows, by the factor on it, as the C
# function `barten_csf` returns it
BARTEN = {
    0.002893: (
        0.0035019665956497192,
        0.014587149955332279,
        0.042316097766160965,
        0.07804122567176819,
    ),
    0.001586: (
        0.0019198475638404489,
        0.007996965199708939,
        0.023198524489998817,
        0.04278374835848808,
    ),
    0.0256: (0.03098871186375618, 0.1290808916091919, 0.3744528591632843, 0.6905825734138489),
    0.00639: (0.00773507310077548, 0.03221980109810829, 0.09346694499254227, 0.17237588763237),
}
AMPLITUDES = [(0.67234, 0.41317, 0.22727, 0.11792), (0.72709, 0.49428, 0.28688, 0.15214)]


def factors(mode, distance, height, gains=(1.0, 1.0)):
    """Straight and diagonal contrast sensitivity per scale, in float32 where C stores it."""
    if mode == 1:
        assert (distance, height) == (3.0, 1080)
        return list(zip(*(BARTEN[gain] for gain in gains), strict=True))
    if mode != 0:
        return [
            [float(f32(x)) for x in pair]
            for pair in zip(*TABLES[mode, distance, height], strict=True)
        ]
    found = []
    resolution = float(f32(distance * height * math.pi / 180))
    for scale in range(4):
        pair = []
        for kind, g in enumerate((1.0, 0.534)):
            f0 = 2.0 ** (scale + 1) * float(f32(0.401)) * float(f32(g))
            octave = f32(math.log10(f0 / resolution))
            power = 10.0 ** float(f32(f32(0.466) * octave) * octave)
            step = f32(2 * float(f32(0.495)) * power / float(f32(AMPLITUDES[kind][scale])))
            pair.append(float(f32(1) / step))
        found.append(pair)
    return found


def fixed_weights(mode, distance, height, gains=(1.0, 1.0)):
    found = []
    for scale, (straight, diagonal) in enumerate(factors(mode, distance, height, gains)):
        bits = (21, 23) if scale == 0 else (32, 32)
        found.append([int(straight * 2 ** bits[0])] * 2 + [int(diagonal * 2 ** bits[1])])
    if mode == 0 and distance * height == 3240:
        found[0] = [36453, 36453, 49417]
    return found


def shifted(x, bits):
    return (x + (1 << (bits - 1))) >> bits if bits else x


def taps(n):
    """For each of the four taps, the sample that each output reads."""
    wanted = 2 * np.arange((n + 1) // 2) + np.arange(-1, 3)[:, None]
    wanted = np.where(wanted < 0, -wanted, wanted)
    return np.where(wanted >= n, 2 * n - 1 - wanted, wanted)


def along_rows(x, kernel):
    return sum(k * x[i] for k, i in zip(kernel, taps(x.shape[0]), strict=True))


def along_columns(x, kernel):
    return sum(k * x[:, i] for k, i in zip(kernel, taps(x.shape[1]), strict=True))


def dwt(x, scale, bits):
    if scale == 0:
        x = x.astype(np.int64)
        grey = 1 << (bits - 1)
        low = (along_rows(x, LOW) - 46342 * grey + grey) >> bits
        high = (along_rows(x, HIGH) + grey) >> bits
    else:
        shift = (None, 0, 16, 16)[scale]
        low, high = shifted(along_rows(x, LOW), shift), shifted(along_rows(x, HIGH), shift)
    shift = (16, 15, 16, 15)[scale]
    bands = [
        shifted(along_columns(rows, kernel), shift)
        for rows, kernel in ((low, LOW), (high, LOW), (low, HIGH), (high, HIGH))
    ]
    limit = 1 << (15 if scale == 0 else 31)
    assert all(np.abs(b).max() < limit for b in bands)
    return bands[0], bands[1:]


def within_a_degree(o, t):
    def single(x):
        return x.astype(f32).astype(np.float64) / 4096

    cosine = float(f32(math.cos(math.pi / 180) ** 2))
    cross = single(o[0] * t[0] + o[1] * t[1])
    oo, tt = single(o[0] ** 2 + o[1] ** 2), single(t[0] ** 2 + t[1] ** 2)
    return (cross >= 0) & (cross * cross >= cosine * oo * tt)


def ratio(o, t, scale):
    """t / o, clipped to 0..1, times 2^15."""
    size = np.abs(o)
    drop = np.zeros_like(o)
    if scale > 0:
        lengths = np.frexp(size.astype(np.float64))[1].astype(np.int64)
        drop = np.where(size >= 32768, lengths - 15, 0)
    leading = np.where(drop > 0, (size + ((1 << drop) >> 1)) >> drop, size)
    inverse = (1 << 30) // np.maximum(leading, 1) * np.where(o < 0, -1, 1)
    k = (inverse * t + (1 << (14 + drop))) >> (15 + drop)
    return np.clip(np.where(o == 0, 32768, k), 0, 32768)


def decouple(o, t, gain, scale):
    flag = within_a_degree(o, t)
    restored = []
    for ob, tb in zip(o, t, strict=True):
        k = ratio(ob, tb, scale)
        r = (k * ob + 16384) >> 15
        up, down = np.minimum(r * gain, tb), np.maximum(r * gain, tb)
        gained = np.where(k * ob > 0, up, np.where(k * ob < 0, down, r))
        restored.append(np.where(flag, np.trunc(gained).astype(np.int64), r))
    return restored, [tb - r for tb, r in zip(t, restored, strict=True)]


def threshold(masker, weights, scale):
    total = 0
    for b, (band, weight) in enumerate(zip(masker, weights, strict=True)):
        if scale == 0:
            add, shift = ((16384, 15), (16384, 15), (65535, 17))[b]
            y = np.abs(((weight * band + add) >> shift).astype(np.int16).astype(np.int64))
            near = ((4369 * y + 2048) >> 12).astype(np.int16).astype(np.int64)
            own = ((8738 * y + 2048) >> 12).astype(np.int16).astype(np.int64)
        else:
            y = np.abs(shifted(weight * band, 28).astype(np.int32).astype(np.int64))
            near = (143165577 * y - (1 << 31)) >> 32
            own = (286331153 * y - (1 << 31)) >> 32
        rows = [1, *range(band.shape[0]), band.shape[0] - 1]
        columns = [1, *range(band.shape[1]), band.shape[1] - 1]
        wide = near[rows][:, columns]
        height, width = band.shape
        box = sum(wide[i : i + height, j : j + width] for i in range(3) for j in range(3))
        total = total + box - near + own
    return total.astype(np.int32).astype(np.int64)


def ceil_log2(n):
    return math.ceil(math.log2(n))


def crop(n):
    start = int(n * 0.1 - 0.5)
    return slice(start, n - start)


def masked_sums(signal, masker, weights, scale):
    height, width = signal[0].shape
    thr = threshold(masker, weights, scale)
    found = []
    for b, (band, weight) in enumerate(zip(signal, weights, strict=True)):
        if scale == 0:
            limit = (thr << (10, 10, 12)[b]).astype(np.int32).astype(np.int64)
            x, square, cube = np.abs(weight * band) - limit, (29, 29, 30)[b], (4, 4, 3)[b]
            cube = math.ceil(math.log2(width) - cube)
        else:
            x = shifted(weight * band, 28).astype(np.int32).astype(np.int64)
            x, square, cube = np.abs(x) - thr, 30, ceil_log2(width)
        x = np.maximum(x.astype(np.int32).astype(np.int64), 0)
        squares = shifted(x * x, square).astype(np.int32).astype(np.int64)
        cubes = shifted(squares * x, cube)[crop(height), crop(width)]
        found.append(shifted(cubes.sum(1), ceil_log2(height)).sum())
    return found


def reference_sums(bands, scale):
    found = []
    for band in bands:
        x = np.abs(band[crop(band.shape[0]), crop(band.shape[1])])
        height, width = x.shape
        if scale == 0:
            cubes, rows = x**3, max(math.ceil(math.log2(height * width) - 20), 0)
        else:
            shift = (None, 31, 30, 31)[scale]
            cubes = shifted(((x * x + (1 << shift)) >> shift) * x, ceil_log2(width))
            rows = ceil_log2(height)
        found.append(shifted(cubes.sum(1), rows).sum())
    return found


def sums(ref, dis, bits, weights, gain):
    """Integers `[scale][restored, additive, reference][orientation]` of a frame."""
    found = []
    for scale in range(4):
        ref, o = dwt(ref, scale, bits)
        dis, t = dwt(dis, scale, bits)
        restored, additive = decouple(o, t, gain, scale)
        found.append(
            [
                masked_sums(restored, additive, weights[scale], scale),
                masked_sums(additive, restored, weights[scale], scale),
                reference_sums(o, scale),
            ]
        )
    return np.array(found)


def root(x):
    return f32(float(f32(x)) ** float(f32(1) / f32(3)))


def scores(found, height, width, factors, noise=0.03125, share=0.5, least=0.0):
    """The published values from `sums`, with `factors` the contrast sensitivity per scale."""
    frame, totals, scale_scores = (height, width), [0.0, 0.0, 0.0], []
    for scale in range(4):
        height, width = (height + 1) // 2, (width + 1) // 2
        rows, columns = (crop(n).stop - crop(n).start for n in (height, width))
        if scale == 0:
            offsets = [math.ceil(math.log2(width) - n) for n in (4, 4, 3)]
            bits = [n - o - ceil_log2(height) for n, o in zip((52, 52, 57), offsets, strict=True)]
            own = 18 - max(math.ceil(math.log2(rows * columns) - 20), 0)
        else:
            bits = [(None, 45, 39, 36)[scale] - ceil_log2(width) - ceil_log2(height)] * 3
            own = (None, 32, 27, 23)[scale] - ceil_log2(rows) - ceil_log2(columns)
        floor = root(rows * columns * noise)
        parts = [f32(0)] * 3
        for b in range(3):
            cubes = [int(found[scale][k][b]) / 2.0 ** bits[b] for k in (0, 1)]
            cubes.append(int(found[scale][2][b]) / 2.0**own * factors[scale][b // 2] ** 3)
            for k, extra in enumerate((floor, f32(0), floor)):
                parts[k] = f32(parts[k] + f32(root(cubes[k]) + extra))
        totals = [t + float(p) for t, p in zip(totals, parts, strict=True)]
        scale_scores.append(float(parts[0]) / float(parts[2]))
    limit = 1e-10 * frame[0] * frame[1] / (1920.0 * 1080.0)
    num, aim_num, den = totals
    adm2, aim = (0.0 if num < limit else num) / den, aim_num / den
    return [adm2, aim, max(adm2 * share + (1 - aim) * (1 - share), least), *scale_scores]
