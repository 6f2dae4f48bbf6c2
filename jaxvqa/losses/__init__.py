"""Losses for training: one signature, 0 is best, no clip, finite gradients.

Every function takes `(ref, dis, *, bit_depth, reduction, where)`, luma code values or `Planes`, and
returns `(frames,)` losses, or a scalar with `reduction="mean"` or "sum". They are pure functions
for `jit`, `grad`, `vmap` (over clips) and `jax.checkpoint`. docs/losses.md says where each has
no gradient. RGB comes in through `jaxvqa.color.rgb_to_planes`.

`vmaf`, `funque`: distance of a fusion model's score from that of an equal pair.
{losses}
`names`: the names of all losses, those of registered metrics included.
`LossFunction`: the signature of a loss.
"""

from jaxvqa.features import _registry
from jaxvqa.losses._metrics import LossFunction as LossFunction
from jaxvqa.losses._metrics import loss_function as _loss_function
from jaxvqa.losses._model import funque as funque
from jaxvqa.losses._model import vmaf as vmaf

__doc__ = (__doc__ or "").replace(
    "{losses}",
    "\n".join(f"`{name}`: {f.loss.summary}" for name, f in _registry.losses().items() if f.loss),
)


def __getattr__(name: str) -> LossFunction:
    feature = _registry.losses().get(name)
    if feature is None:
        raise AttributeError(f"jaxvqa.losses has no loss {name!r}; it has: {', '.join(names())}.")
    return _loss_function(feature)


def names() -> tuple[str, ...]:
    """Names of all losses."""
    return tuple(sorted([*_registry.MODEL_LOSSES, *_registry.losses()]))


def __dir__() -> list[str]:
    return [*globals(), *names()]
