"""The slope of CAMBI's counts in plain numpy, pixel by pixel, from its definition."""

import numpy as np


def _window(codes, i, j, half):
    rows = slice(max(i - half, 0), i + half + 1)
    columns = slice(max(j - half, 0), j + half + 1)
    return codes[rows, columns]


def _counts(codes, i, j, half, reach):
    """Soft counts of differences -reach..reach in the window of a pixel: tents one code wide."""
    step = _window(codes, i, j, half) - codes[i, j]
    return {d: np.maximum(1 - np.abs(step - d), 0).sum() for d in range(-reach, reach + 1)}


def _facing(code, counts, bands):
    """(response, slope by the other count, difference, below, above) of the best contrast."""
    best = (0.0, 0.0, 0, 0.0, 0.0)
    for d, (weight, low, high) in enumerate(bands, 1):
        own, below, above = counts[0], counts[-d], counts[d]
        other = max(below, above)
        if low <= round(code) <= high and weight * own * other / (own + other) > best[0]:
            slope = weight * (own / (own + other)) ** 2
            best = (weight * own * other / (own + other), slope, d, below, above)
    return best


def responses(codes, skip, half, bands):
    """Responses of all pixels, of codes that need not be whole."""
    out = np.zeros(codes.shape)
    for i, j in np.argwhere(codes < skip):
        out[i, j] = _facing(codes[i, j], _counts(codes, i, j, half, len(bands)), bands)[0]
    return out


def pull(codes, skip, given, half, bands):
    """Slope of (given * response).sum(): each count's slope is that of the step that closes."""
    out = np.zeros(codes.shape)
    for i, j in np.argwhere(codes < skip):
        code = codes[i, j]
        counts = _counts(codes, i, j, half, len(bands))
        _, slope, d, below, above = _facing(code, counts, bands)
        view = _window(out, i, j, half)
        window = _window(codes, i, j, half)
        for side, count, rival in ((1, above, below), (-1, below, above)):
            if d == 0 or count < rival:
                continue
            force = given[i, j] * slope * side * (0.5 if count == rival else 1.0)
            view[window == code + side * d] += force
            out[i, j] -= force * count
    return out
