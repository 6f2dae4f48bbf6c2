"""Float motion: how much the reference moves. The page to read first.

A viewer sees less where much moves. Motion is the mean absolute difference between a frame and the
frame before it, both blurred so that noise does not count as motion. motion2 asks that a frame
differs from the frame before and from the frame after, so that a cut is no motion. motion3 gives
the first frame, which has none before it, the motion of the second.

Source: libvmaf f85a853, `float_motion.c`, `motion.c`; Li, Aaron, Katsavounidis, Moorthy, Manohara,
"Toward a practical perceptual video quality metric", Netflix TechBlog, 2016. Matches the tool to
5e-6, the rounding of its float32 sums. `jaxvqa.features.motion` gives the same values, faster and
with all options.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float

# a Gaussian of standard deviation 1 at -2 ... 2
BLUR = (0.054488685, 0.244201342, 0.402619947, 0.244201342, 0.054488685)


def blur_rows(frame: Float[Array, "height width"]) -> Float[Array, "height width"]:
    """Gaussian blur down the columns; beyond the border the picture is mirrored."""
    rows = jnp.pad(frame, ((2, 2), (0, 0)), mode="reflect")
    blurred = jnp.zeros_like(frame)
    for k, weight in enumerate(BLUR):
        blurred += weight * rows[k : k + len(frame)]
    return blurred


def blur(frame: Float[Array, "height width"]) -> Float[Array, "height width"]:
    """Gaussian blur down the columns and then along the rows."""
    return blur_rows(blur_rows(frame).T).T


def motion(ref: Float[Array, "frames height width"]) -> dict[str, Float[Array, " frames"]]:
    """Motion of a clip.

    Models how much a scene moves, which masks distortion.

    Args:
        ref: reference, luma as float code values on the 8-bit scale.

    Returns:
        `{"motion", "motion2", "motion3"}` by frame, in 8-bit code values; 0 for a still.
    """
    blurred = jax.vmap(blur)(ref)
    change = jnp.abs(blurred[1:] - blurred[:-1]).mean((1, 2))  # from each frame to the next
    before = jnp.concatenate([jnp.zeros_like(ref[:1, 0, 0]), change])
    after = jnp.concatenate([change, before[-1:]])  # the last frame has none after it
    motion2 = jnp.minimum(before, after)
    motion3 = motion2.at[0].set(after[0])
    return {"motion": before, "motion2": motion2, "motion3": motion3}
