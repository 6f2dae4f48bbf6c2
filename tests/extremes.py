"""Frames where the last digits of float32 show, made of whole numbers: equal on every machine."""

import numpy as np

from jaxvqa import Planes

LUMA = (
    "black and white", "nearly black", "noise", "inverted", "saturated", "one code", "flat",
    "two flats", "grey",
)  # fmt: skip
COLOUR = ("saturated colours", "greys", "nearly black", "noise", "one sample", "luma alone")


def _texture(rng, shape, depth):
    """Blocks, slopes and grain, within the middle three quarters of the range."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    coarse = rng.integers(0, 96, (shape[0] // 8 + 1, shape[1] // 8 + 1))
    codes = 32 + coarse[rows // 8, columns // 8] + (rows + 2 * columns) % 61
    return (codes << (depth - 8)) + rng.integers(0, 24 << (depth - 8), shape)


def _luma(kind, rng, shape, depth):
    peak, unit = (1 << depth) - 1, 1 << (depth - 8)
    texture = _texture(rng, shape, depth)
    flat = np.zeros(shape, np.int64)
    if kind == "black and white":
        return flat, flat + peak
    if kind == "nearly black":
        return rng.integers(0, 4, (2, *shape))
    if kind == "noise":
        return rng.integers(0, peak + 1, (2, *shape))
    if kind == "inverted":
        return texture, peak - texture
    if kind == "saturated":
        ref = peak * rng.integers(0, 2, shape)
        return ref, np.where(rng.integers(0, 10, shape) == 0, peak - ref, ref)
    if kind == "one code":
        return texture, texture + rng.integers(-1, 2, shape)
    if kind == "grey":
        return flat + 128 * unit, texture
    return flat + 84 * unit, flat + (84 if kind == "flat" else 37) * unit


def _colour(kind, rng, shape, depth):
    """Y, Cb and Cr of both sides."""
    unit = 1 << (depth - 8)
    step = rng.integers(-1, 2, (3, *shape))
    grain = rng.integers(0, 8 * unit, (3, *shape))
    if kind == "noise":
        return rng.integers(0, 256 * unit, (2, 3, *shape))
    if kind == "saturated colours":
        return (ref := np.array([81, 90, 238])[:, None, None] * unit + grain), ref + step
    if kind == "nearly black":
        return (ref := np.array([16, 128, 128])[:, None, None] * unit + grain // 8), ref + step
    ref = np.stack([_texture(rng, shape, depth), *(128 * unit + 0 * grain[1:])])
    if kind == "greys":
        return ref, ref + step
    ref[1:] += grain[1:]
    if kind == "one sample":
        step = 0 * step
        step[0, 3, 5] = 1
    step[1:] = 0
    return ref, ref + step


def _dtype(depth):
    return np.uint8 if depth == 8 else np.uint16


def luma_pair(depth, shape=(176, 180)):
    """`(frames, *shape)` of both sides, a frame for each of `LUMA`."""
    rng = np.random.default_rng(depth)
    pairs = [_luma(kind, rng, shape, depth) for kind in LUMA]
    ref, dis = (np.stack(side).astype(_dtype(depth)) for side in zip(*pairs, strict=True))
    return ref, dis


def colour_pair(depth, shape=(24, 40)):
    """4:4:4 `Planes` of both sides, a frame for each of `COLOUR`."""
    rng = np.random.default_rng(depth)
    pairs = [_colour(kind, rng, shape, depth) for kind in COLOUR]
    sides = (np.stack(side, 1).astype(_dtype(depth)) for side in zip(*pairs, strict=True))
    ref, dis = (Planes(*side, bit_depth=depth) for side in sides)
    return ref, dis
