"""SpEED-QA (Bampis et al. 2017) in float64 numpy, written from the published MATLAB code's text."""

import numpy as np

HALF = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256


def half_matrix(size):
    """ceil(size/2) x size weights: bicubic reduction, border mirrored between samples."""
    out = np.zeros((-(-size // 2), size))
    fold = np.concatenate([np.arange(size), np.arange(size)[::-1]])
    for x in range(len(out)):
        np.add.at(out[x], fold[(2 * x - 3 + np.arange(8)) % (2 * size)], HALF)
    return out


def local_mean(y):
    x = np.arange(-3, 4)
    taps = np.exp(-0.5 * (x / (7 / 6)) ** 2)
    taps /= taps.sum()
    height, width = y.shape
    padded = np.pad(y, 3, mode="edge")
    rows = sum(t * padded[k : k + height] for k, t in enumerate(taps))
    return sum(t * rows[:, k : k + width] for k, t in enumerate(taps))


def statistics(y, block, noise):
    """Scale and entropy of every block; 0 where flat, NaN where the covariance is singular."""
    height, width = (n // block * block for n in y.shape)
    y = y[:height, :width]
    positions = [(i, j) for i in range(block) for j in range(block)]
    windows = np.stack(
        [y[i : height - block + 1 + i, j : width - block + 1 + j].ravel() for i, j in positions]
    )
    blocks = np.stack([y[i::block, j::block].ravel() for i, j in positions])
    eigenvalues, vectors = np.linalg.eigh(np.cov(windows, bias=True))
    zero = np.zeros(blocks.shape[1])
    if eigenvalues[-1] <= 1e-18:
        return zero, zero
    if eigenvalues[0] / eigenvalues[-1] < 1e-10:
        return zero + np.nan, zero + np.nan
    scale = ((vectors.T @ blocks) ** 2 / eigenvalues[:, None]).sum(0) / block**2
    bits = np.log2(scale * eigenvalues[:, None] + noise) + np.log(2 * np.pi * np.e)
    return scale, bits.sum(0)


def frame(ref, before_ref, dis, before_dis, band=4, block=5, noise=0.1):
    """(spatial, temporal) of one frame; luma on the 8-bit scale."""
    reduced = []
    for y in (ref, before_ref, dis, before_dis):
        for _ in range(band):
            y = half_matrix(y.shape[0]) @ y @ half_matrix(y.shape[1]).T
        reduced.append(y)
    r, r0, d, d0 = reduced
    (sr, er), (sd, ed), (pr, fr), (pd, fd) = (
        statistics(y - local_mean(y), block, noise) for y in (r, d, r0 - r, d0 - d)
    )
    wr, wd = np.log2(1 + sr), np.log2(1 + sd)
    spatial = np.abs(er * wr - ed * wd).mean()
    return spatial, np.abs(fr * wr * np.log2(1 + pr) - fd * wd * np.log2(1 + pd)).mean()
