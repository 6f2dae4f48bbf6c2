"""libvmaf's float VIF, ADM and motion in plain float64 numpy, written from their description.

Independent of jaxvqa: no shared code, no strips, direct index arithmetic. Checked against the vmaf
tool's output (revision f85a853) to the digits stated in the tests.
"""

import itertools
import math

import numpy as np


def mirrored(size, radius):
    """Indices of an axis extended by `radius`, edge sample not repeated."""
    index = np.abs(np.arange(-radius, size + radius))
    return np.where(index >= size, 2 * (size - 1) - index, index)


def blur(image, taps):
    """Separable correlation, same size, mirrored border."""
    for axis in (0, 1):
        size = image.shape[axis]
        source = np.take(image, mirrored(size, len(taps) // 2), axis)
        image = sum(t * np.take(source, np.arange(k, k + size), axis) for k, t in enumerate(taps))
    return image


def gaussian(width):
    x = np.arange(width) - width // 2
    taps = np.exp(-0.5 * (x / (width / 5)) ** 2)
    return taps / taps.sum()


def window(scale, kernel_scale):
    width = math.ceil(np.float32((1 << (4 - scale)) + 1) * np.float32(kernel_scale))
    return gaussian(max(width + (width % 2 == 0), 3))


def vif(ref, dis, *, kernel_scale=1.0, gain_limit=100.0, noise=2.0, skip_scale0=False):
    """Scores of the four scales for one frame pair on the 8-bit scale."""
    r, d = ref - 128.0, dis - 128.0
    scores = []
    for scale in range(4):
        taps = window(scale, kernel_scale)
        if scale:
            rows, columns = (n // 2 * 2 for n in r.shape)
            r, d = (blur(x, taps)[:rows:2, :columns:2] for x in (r, d))
        if scale == 0 and skip_scale0:
            scores.append(0.0)
            continue
        mr, md = blur(r, taps), blur(d, taps)
        vr = np.maximum(blur(r * r, taps) - mr**2, 0)
        vd = np.maximum(blur(d * d, taps) - md**2, 0)
        cov = blur(r * d, taps) - mr * md
        num = den = 0.0
        for v1, v2, c in zip(vr.ravel(), vd.ravel(), cov.ravel(), strict=True):
            g = c / (v1 + 1e-10)
            q = v2 - g * c
            if v1 < 1e-10:
                g, q, v1 = 0.0, v2, 0.0
            if v2 < 1e-10:
                g, q = 0.0, 0.0
            if g < 0:
                g, q = 0.0, v2
            q, g = max(q, 1e-10), min(g, gain_limit)
            if v1 < noise:
                num, den = num + 1 - v2 * noise**2 / 255.0**2, den + 1
                continue
            num += 0.0 if c < 0 else math.log2(1 + g * g * v1 / (q + noise))
            den += math.log2(1 + v1 / noise)
        scores.append(num / den)
    return scores


LOW = (0.482962913144690, 0.836516303737469, 0.224143868041857, -0.129409522550921)
HIGH = (-0.129409522550921, -0.224143868041857, 0.836516303737469, -0.482962913144690)


def wavelet(image):
    """Bands a, h, v, d."""

    def along(x, taps, axis):
        size = x.shape[axis]
        total = 0.0
        for k, tap in enumerate(taps):
            index = np.abs(2 * np.arange((size + 1) // 2) + k - 1)
            index = np.where(index >= size, 2 * size - 1 - index, index)
            total = total + tap * np.take(x, index, axis)
        return total

    low, high = along(image, LOW, 0), along(image, HIGH, 0)
    return along(low, LOW, 1), along(high, LOW, 1), along(low, HIGH, 1), along(high, HIGH, 1)


def watson(scale, distance=3.0, lines=1080):
    r = distance * lines * math.pi / 180
    first = (0.67234, 0.41317, 0.22727, 0.11792)[scale]
    second = (0.72709, 0.49428, 0.28688, 0.15214)[scale]
    factors = []
    for amplitude, g in ((first, 1.0), (second, 0.534)):
        t = math.log10(2.0 ** (scale + 1) * 0.401 * g / r)
        factors.append(amplitude / (2 * 0.495 * 10 ** (0.466 * t * t)))
    return factors


def split(ref, dis, gain_limit):
    (oh, ov, _), (th, tv, _) = ref, dis
    dot = oh * th + ov * tv
    cos2 = math.cos(math.pi / 180) ** 2
    aligned = (dot >= 0) & (dot**2 >= cos2 * (oh**2 + ov**2) * (th**2 + tv**2))
    restored = []
    for o, t in zip(ref, dis, strict=True):
        r = np.clip(t / (o + 1e-30), 0, 1) * o
        up = np.where(r > 0, np.minimum(r * gain_limit, t), r)
        up = np.where(r < 0, np.maximum(r * gain_limit, t), up)
        restored.append(np.where(aligned, up, r))
    return restored, [t - r for t, r in zip(dis, restored, strict=True)]


def neighbours(x):
    x = np.concatenate([x[1:2], x, x[-1:]])
    x = np.concatenate([x[:, 1:2], x, x[:, -1:]], 1)
    height, width = x.shape[0] - 2, x.shape[1] - 2
    around = sum(x[i : i + height, j : j + width] for i in range(3) for j in range(3))
    return around - x[1:-1, 1:-1]


def adm(ref, dis, *, gain_limit=100.0, noise_weight=1 / 32, p=3.0, bypass=False, harmonic=False,
        skip_aim_scale=-1, distance=3.0, lines=1080, dlm_weight=0.5):  # fmt: skip
    """adm2, aim, adm3 and the four scale scores of one frame pair on the 8-bit scale."""
    r, d = ref - 128.0, dis - 128.0
    nums, dens, aims, scales = [], [], [], []
    for scale in range(4):
        (r, *o), (d, *t) = wavelet(r), wavelet(d)
        f1, f2 = watson(scale, distance, lines)
        factors = (f1, f1, f2)
        restored, additive = split(o, t, gain_limit)
        height, width = r.shape
        top, left = max(int(height * 0.1 - 0.5), 0), max(int(width * 0.1 - 0.5), 0)
        crop = (slice(top, height - top), slice(left, width - left))
        area = r[crop].size

        def masked(signal, masker, factors=factors):
            threshold = 0.0
            if not bypass:
                weighted = [np.abs(f * m) for f, m in zip(factors, masker, strict=True)]
                threshold = sum(neighbours(w) / 30 + w / 15 for w in weighted)
            return [
                np.maximum(np.abs(f * s) - threshold, 0)
                for f, s in zip(factors, signal, strict=True)
            ]

        def pooled(bands, weight, crop=crop, area=area):
            return sum((b[crop] ** p).sum() ** (1 / p) + (area * weight) ** (1 / p) for b in bands)

        nums.append(pooled(masked(restored, additive), noise_weight))
        aims.append(pooled(masked(additive, restored), 0.0))
        whole = [np.abs(f * b) for f, b in zip(factors, o, strict=True)]
        dens.append(pooled(whole, noise_weight))
        scales.append(nums[-1] / dens[-1])
    adm2 = sum(nums) / sum(dens)
    used = [s for s in range(4) if s != skip_aim_scale]
    aim = min(sum(aims[s] for s in used) / sum(dens[s] for s in used), 1.0)
    adm3 = dlm_weight * adm2 + (1 - dlm_weight) * (1 - aim)
    if harmonic:
        adm3 = 2 * adm2 * aim / (adm2 + aim)
    return [adm2, aim, adm3, *scales]


MOTION_TAPS = {
    1: (1.0,),
    3: (0.166378498, 0.667243004, 0.166378498),
    5: (0.054488685, 0.244201342, 0.402619947, 0.244201342, 0.054488685),
}


def motion(frames, *, size=5, weight=1.0, factor=1.0, offset=40.0, top=10000.0):
    """motion, motion2 and motion3 of a clip (list of 8-bit-scale frames)."""
    blurred = [blur(f - 128.0, MOTION_TAPS[size]) for f in frames]
    raw = [0.0] + [np.abs(a - b).mean() for a, b in itertools.pairwise(blurred)]

    def soft(v):
        return min(v * factor + (1 - factor) * min(offset, v), top)

    n = len(raw)
    low = [min(raw[i], raw[i + 1]) if i + 1 < n else raw[i] for i in range(n)]
    motion2 = [0.0] + [min(v * weight, top) for v in low[1:]]
    first = soft(raw[1] * weight) if n > 1 else 0.0
    motion3 = [first] + [soft(v * weight) for v in low[1:]]
    return [min(v * weight, top) for v in raw], motion2, motion3
