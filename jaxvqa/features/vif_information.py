"""Information of a channel with noise, from local moments: what float VIF adds up over a picture.

Source: libvmaf f85a853, `vif_tools.c`. The logarithms of several samples are taken as one logarithm
of their product, which is what keeps this as fast as the filters in front of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxvqa._typing import Array, Float
from jaxvqa.features.options import Options
from jaxvqa.ops.stages import row_sums, stage

_EPSILON = 1e-10
_PEAK_SQUARED = 255.0**2
# largest variance of a sample between -128 and 128, with room for interpolated overshoots
_LARGEST_VARIANCE = 4.0 * 128.0**2

# the argument of a sample's logarithm, and what is added to the logarithm
_Term = tuple[Array, Array]


def _carried(
    options: Options, mean_r: Array, mean_c: Array, square_r: Array, square_c: Array, product: Array
) -> _Term:
    """What the distorted picture carries of the reference's information, per sample."""
    noise, limit = options.vif_sigma_nsq, options.vif_enhn_gain_limit
    var_r = jnp.maximum(square_r - mean_r * mean_r, 0.0)
    var_c = square_c - mean_c * mean_c
    cov_c = product - mean_r * mean_c
    var_d = jnp.maximum(var_r + (2.0 * cov_c + var_c), 0.0)
    # a negative covariance carries nothing: the source's special cases for it all end in 0
    cov = jnp.maximum(var_r + cov_c, 0.0)
    # gain^2 var_r / (residual + noise) with gain = cov / var_r, at most `limit`, and residual =
    # var_d - gain cov; both sides of the fraction times var_r, so that there is one division.
    # The residual times var_r is var_r var_d - cov^2 = var_r var_c - cov_c^2: 0 without a change.
    # Where the reference carries less than the noise nothing can be lost: a linear term instead.
    weak = var_r < noise
    signal = jnp.maximum(var_r, max(noise, _EPSILON))
    gained = jnp.minimum(cov * cov, (limit * signal) * (limit * signal))
    residual = jnp.maximum(var_c * signal - cov_c * cov_c, _EPSILON * signal)
    carried = gained / (residual + noise * signal)
    carried = jnp.where(weak | (var_d < _EPSILON), 0.0, carried)
    return 1.0 + carried, jnp.where(weak, 1.0 - var_d * (noise * noise / _PEAK_SQUARED), 0.0)


def _available(options: Options, mean_r: Array, square_r: Array) -> _Term:
    """The reference's information, per sample."""
    noise = options.vif_sigma_nsq
    var_r = jnp.maximum(square_r - mean_r * mean_r, 0.0)
    weak = var_r < noise
    available = jnp.where(weak, 0.0, var_r * (1.0 / max(noise, _EPSILON)))
    return 1.0 + available, weak.astype(var_r.dtype)


def _log_group(sigma_nsq: float) -> int:
    """How many log arguments can be multiplied in float32 before one log is taken."""
    largest = math.log10(1 + _LARGEST_VARIANCE / max(sigma_nsq, _EPSILON))
    return max(1, min(8, int(36 / largest)))


def _grouped(term: Callable[..., _Term], group: int, *moments: Array) -> Array:
    """Terms of `group` column blocks folded into one: `(rows, columns // group)`.

    One logarithm then serves `group` samples; it costs more than all the filtering of a pixel. The
    products do not overflow because `group` is chosen from the largest argument.
    """
    width = moments[0].shape[-1] // group
    argument, linear = None, None
    for k in range(group):
        factor, added = term(*(m[:, k * width : (k + 1) * width] for m in moments))
        argument = factor if argument is None else argument * factor
        linear = added if linear is None else linear + added
    assert argument is not None
    assert linear is not None
    return jnp.log2(argument) + linear


def _summed(term: Callable[..., _Term], sigma_nsq: float, *moments: Array) -> Array:
    """Row sums of a term. Each group is a stage with one result, which XLA makes one kernel of."""
    columns = moments[0].shape[-1]
    most = min(_log_group(sigma_nsq), columns)
    # a group that leaves no columns over saves compiling the remainder
    group = next((g for g in range(most, most // 2, -1) if columns % g == 0), most)
    edge = columns - columns % group
    total = row_sums(functools.partial(_grouped, term, group), *(m[:, :edge] for m in moments))
    if edge < columns:  # the columns that fill no group are taken one by one
        rest = (m[:, edge:] for m in moments)
        total = total + row_sums(functools.partial(_grouped, term, 1), *rest)
    return total


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def information(options: Options, *moments: Float[Array, "rows width"]) -> tuple[Array, Array]:
    """Row sums of carried and available information, in bits.

    Args:
        options: those of float VIF.
        moments: local means of the reference and of the change (distorted minus reference), of
            their squares, and of their product.

    Returns:
        Numerator and denominator of VIF by row, each `(rows,)`.
    """
    mean_r, _, square_r, _, _ = moments
    noise = options.vif_sigma_nsq
    return (
        _summed(functools.partial(_carried, options), noise, *moments),
        _summed(functools.partial(_available, options), noise, mean_r, square_r),
    )


@information.defjvp
def _information_jvp(
    options: Options, moments: tuple[Array, ...], tangents: tuple[Array, ...]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The derivative sample by sample: it needs no logarithm, so there is nothing to group."""

    def maps(*moments: Array) -> tuple[Array, Array]:
        kept, linear = _carried(options, *moments)
        whole, weak = _available(options, moments[0], moments[2])
        return jnp.log2(kept) + linear, jnp.log2(whole) + weak

    def change(moments: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
        return jax.jvp(maps, moments, tangents)[1]

    numerator, denominator = stage(change, moments, tangents)
    return information(options, *moments), (numerator.sum(-1), denominator.sum(-1))
