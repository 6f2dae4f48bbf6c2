"""libvmaf's SSIM and MS-SSIM in plain float64 numpy, written from their description.

Independent of jaxvqa: no shared code, direct index arithmetic, variances as differences of means.
"""

import numpy as np

HALF = (0.001028, 0.007599, 0.036001, 0.109361, 0.213006)
WINDOW = np.array([*HALF, 0.266012, *HALF[::-1]])
# a quarter of the tool's 9x9 table in millionths, centre included; not quite a product of two rows
QUARTER = np.array(
    [
        [714, -450, -2090, 7132, 16114],
        [-450, 283, 1316, -4490, -10146],
        [-2090, 1316, 6115, -20867, -47149],
        [7132, -4490, -20867, 71207, 160885],
        [16114, -10146, -47149, 160885, 363505],
    ]
)
WAVELET = np.pad(QUARTER, ((0, 4), (0, 4)), mode="reflect") / 1e6
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
C3 = C2 / 2
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def sampled(image, table, step, size):
    """`table` laid on every `step`-th sample; half-sample symmetric borders."""
    taps = len(table)
    index = [np.arange(n) * step for n in size]
    result = np.zeros(size)
    for v in range(taps):
        for u in range(taps):
            places = []
            for centre, offset, n in zip(index, (v, u), image.shape, strict=True):
                at = centre + offset - taps // 2
                at = np.where(at < 0, -1 - at, at)
                places.append(np.where(at >= n, 2 * n - 1 - at, at))
            result += table[v, u] * image[np.ix_(*places)]
    return result


def automatic_scale(shape):
    return max(1, int(min(shape) / 256 + 0.5))


def downsampled(image, factor):
    if factor == 1:
        return image
    size = tuple(n // factor + n % 2 for n in image.shape)
    return sampled(image, np.full((factor, factor), factor**-2.0), factor, size)


def half(image):
    return sampled(image, WAVELET, 2, tuple((n + 1) // 2 for n in image.shape))


def local_mean(image):
    for axis in (0, 1):
        count = image.shape[axis] - 10
        image = sum(w * np.take(image, np.arange(k, k + count), axis) for k, w in enumerate(WINDOW))
    return image


def terms(ref, dis):
    """Mean luminance, contrast, structure and their product."""
    mr, md = local_mean(ref), local_mean(dis)
    vr = np.maximum(local_mean(ref * ref) - mr * mr, 0)
    vd = np.maximum(local_mean(dis * dis) - md * md, 0)
    cov = local_mean(ref * dis) - mr * md
    both = np.sqrt(vr * vd)
    lum = (2 * mr * md + C1) / (mr * mr + md * md + C1)
    con = (2 * both + C2) / (vr + vd + C2)
    struct = (np.where((cov < 0) & (both <= 0), 0, cov) + C3) / (both + C3)
    return lum.mean(), con.mean(), struct.mean(), (lum * con * struct).mean()


def ssim(ref, dis, scale=0):
    """Score, l, c, s of one frame pair on the 8-bit scale."""
    scale = scale or automatic_scale(ref.shape)
    lum, con, struct, score = terms(downsampled(ref, scale), downsampled(dis, scale))
    return score, lum, con, struct


def ms_ssim(ref, dis):
    """Score, then l, c, s of five scales of one frame pair on the 8-bit scale."""
    score, found = 1.0, []
    for level, exponent in enumerate(EXPONENTS):
        if level:
            ref, dis = half(ref), half(dis)
        lum, con, struct, _ = terms(ref, dis)
        found.append((lum, con, struct))
        score *= con**exponent * struct**exponent * (lum**exponent if level == 4 else 1)
    return score, *np.array(found).T
