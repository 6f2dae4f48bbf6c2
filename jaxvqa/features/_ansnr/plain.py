"""Signal-to-noise ratio of blurred luma. The page to read first.

An eye loses fine detail. So the reference is blurred a little and the distorted picture a little
more; what the two differ in is the noise, and the blurred reference is the signal, counted from
middle grey. An equal pair has noise too: the detail that only the wider blur takes away.

Source: libvmaf f85a853, `float_ansnr.c`, `ansnr.c`, `ansnr_tools.c`. Matches the tool to a relative
1e-6, the rounding of its float32 sums. `jaxvqa.features.ansnr` gives the same values, faster.
"""

from __future__ import annotations

import jax.numpy as jnp

from jaxvqa._typing import Array, Float

GREY = 128.0
# weights around a sample; each kernel is divided by the sum of its weights
NARROW = ((1, 2, 1), (2, 4, 2), (1, 2, 1))
WIDE = (
    (2, 7, 12, 7, 2),
    (7, 31, 52, 31, 7),
    (12, 52, 127, 52, 12),
    (7, 31, 52, 31, 7),
    (2, 7, 12, 7, 2),
)
# the least power of a signal, where the reference is middle grey throughout
LEAST_SIGNAL = 1e-10


def blur(
    frame: Float[Array, "height width"], kernel: tuple[tuple[int, ...], ...]
) -> Float[Array, "height width"]:
    """Weighted mean around each sample.

    Before the first row and column the picture is mirrored at its edge sample, behind the last ones
    between the samples.
    """
    radius = len(kernel) // 2
    frame = jnp.pad(frame, ((radius, 0), (radius, 0)), mode="reflect")
    frame = jnp.pad(frame, ((0, radius), (0, radius)), mode="symmetric")
    height, width = frame.shape[0] - 2 * radius, frame.shape[1] - 2 * radius
    total = jnp.zeros((height, width), frame.dtype)
    for i, row in enumerate(kernel):
        for j, weight in enumerate(row):
            total += weight * frame[i : i + height, j : j + width]
    return total / sum(map(sum, kernel))


def ansnr(
    ref: Float[Array, "height width"],
    dis: Float[Array, "height width"],
    peak: float = 255.0,
    cap: float = 60.0,
) -> dict[str, Float[Array, ""]]:
    """Both ratios of one frame pair, in dB; higher is better.

    Args:
        ref: reference, luma as float code values on the 8-bit scale.
        dis: distorted, the same.
        peak: the largest sample on that scale.
        cap: upper limit of `float_anpsnr`, and `float_ansnr` where there is no noise.

    Returns:
        `{"float_ansnr", "float_anpsnr"}`: power of the signal, and of the peak, over that of the
        noise.
    """
    signal, other = blur(ref - GREY, NARROW), blur(dis - GREY, WIDE)
    power, noise = (signal**2).mean(), ((signal - other) ** 2).mean()
    silent = noise == 0
    noise = jnp.where(silent, 1.0, noise)
    power = jnp.where(power > LEAST_SIGNAL, power, LEAST_SIGNAL)
    to_signal, to_peak = 10 * jnp.log10(power / noise), 10 * jnp.log10(peak**2 / noise)
    return {
        "float_ansnr": jnp.where(silent, cap, to_signal),
        "float_anpsnr": jnp.where(silent, cap, jnp.minimum(to_peak, cap)),
    }
