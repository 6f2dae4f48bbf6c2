"""A small metric of a user's, for what follows from a record alone."""

import contextlib
import dataclasses
from collections.abc import Iterator

from jaxvqa import Feature, Loss, Output, register
from jaxvqa._planes import to_float
from jaxvqa.features import _registry


def _error(ref, dis, options):
    del options
    difference = to_float(ref.y, ref.depth) - to_float(dis.y, dis.depth)
    return {"toy": 42.0 - (difference * difference).mean((-2, -1))}


TOY = Feature(
    name="toy",
    summary="42 less the mean squared error",
    extract=_error,
    outputs=lambda options: (Output("toy", "higher", 42.0, key="toy_key"),),
    loss=Loss("toy_loss", "Mean squared error.", value="toy", returns="0 for an equal pair."),
)


@contextlib.contextmanager
def registered(**changes) -> Iterator[Feature]:
    """The metric, with some fields of its record changed, as long as the block runs."""
    feature = register(dataclasses.replace(TOY, **changes))
    try:
        yield feature
    finally:
        _registry.forget(feature.name)
