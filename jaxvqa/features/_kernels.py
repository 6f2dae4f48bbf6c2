"""Gaussian widths of libvmaf's `kernelscale` options (float VIF and SpEED).

Source: libvmaf f85a853, `vif_tools.c` (`vif_get_filter_size`, `valid_kernelscales`).
"""

from __future__ import annotations

import math

import numpy as np

from jaxvqa._ops.filters import gaussian

KERNEL_SCALES = (
    1.0, 1 / 2, 3 / 2, 2.0, 2 / 3, 2.4, 360 / 97, 4 / 3, 3.5 / 3, 3.75 / 3, 4.25 / 3, 5 / 3, 3.0,
    1 / 2.25, 1.4746, 1.54, 1.6, 1.06667, 0.711111, 0.740740, 1.111111,
)  # fmt: skip

_TOLERANCE = 1e-3


def check_kernel_scale(option: str, value: float) -> float:
    """Returns `value` if libvmaf knows it as a kernel scale.

    Args:
        option: the option's name, for the message.
        value: the scale; within 1e-3 of one of `KERNEL_SCALES` is accepted as it is, because the
            filters are built from the given value and not from the table's.

    Raises:
        ValueError: no allowed value is that near; names the nearest ones.
    """
    if any(abs(value - known) <= _TOLERANCE for known in KERNEL_SCALES):
        return value
    nearest = sorted(sorted(KERNEL_SCALES, key=lambda known: abs(known - value))[:4])
    listed = ", ".join(f"{known:.6g}" for known in nearest)
    raise ValueError(
        f"{option} must be one of {len(KERNEL_SCALES)} known values (within 0.001), got {value:g}; "
        f"the nearest are {listed}."
    )


def kernel_width(scale: int, kernel_scale: float) -> int:
    """Odd number of taps at pyramid level `scale` (0 to 4); at least 3, 17 at (0, 1.0)."""
    # the product is a float32 product in the source, which decides some of the ceilings
    width = math.ceil(np.float32((1 << (4 - scale)) + 1) * np.float32(kernel_scale))
    return max(width + 1 if width % 2 == 0 else width, 3)


def kernel(scale: int, kernel_scale: float) -> tuple[float, ...]:
    """Gaussian taps at pyramid level `scale`: sigma is a fifth of the width, sum 1."""
    width = kernel_width(scale, kernel_scale)
    return gaussian(width, width / 5)
