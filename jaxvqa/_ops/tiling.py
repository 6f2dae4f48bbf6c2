"""Row strips on CPU, whole pictures on accelerators.

A CPU core is fast only while its working set stays in cache; whole 1080p temporaries cost three
times the arithmetic. `map_rows` runs a picture function over strips of rows inside one compiled
loop, and over the whole picture on other platforms, chosen when the program is lowered.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxvqa._ops.platforms import choose
from jaxvqa._ops.stages import keep_stages
from jaxvqa._typing import Array

# rows of output per strip: 24 to 40 measured alike at 1080p, smaller ones pay for their halo
STRIP_ROWS = 32
# pictures of so few input samples go whole: strips of them would compile more and gain nothing
_WHOLE = 1 << 17
# narrower pictures than this get more rows: the coarse scales then need few strips, or no loop
_NARROW = 960

_idle: contextvars.ContextVar[Any] = contextvars.ContextVar("idle", default=None)


@contextlib.contextmanager
def frames_left_out(idle: Any) -> Iterator[None]:
    """Inside, `map_frames` leaves the last frames out; their values are 0.

    A program that is traced so serves any number of frames up to the length of its stacks.

    Args:
        idle: how many, a scalar of 32 bits that may be traced.
    """
    token = _idle.set(idle)
    try:
        yield
    finally:
        _idle.reset(token)


_cut: contextvars.ContextVar[dict[int, tuple[Any, Any, int]] | None] = contextvars.ContextVar(
    "cut", default=None
)


@contextlib.contextmanager
def cut_in_place() -> Iterator[None]:
    """Inside, `map_frames` reads what `later_frames` gives in the stack that it was cut from."""
    token = _cut.set({})
    try:
        yield
    finally:
        _cut.reset(token)


def later_frames(stack: Array, first: int) -> Array:
    """`stack[first:]`; where `map_frames` alone reads it in `cut_in_place`, nothing is copied."""
    if first == 0:
        return stack
    later = stack[first:]
    if (known := _cut.get()) is not None:
        known[id(later)] = later, stack, first  # kept alive, so that no other has its identity
    return later


def _uncut(stack: Array) -> tuple[Array, int]:
    """A stack and its first frame that counts."""
    _, whole, first = (_cut.get() or {}).get(id(stack), (stack, stack, 0))
    return whole, first


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Frame:
    """A frame in its stack, from which `map_rows` cuts strips: a frame by itself would be a copy.

    Args:
        stack: `(frames, height, width)`.
        index: number of the frame.
    """

    stack: Array
    index: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """`(height, width)`."""
        return self.stack.shape[1:]

    def rows(self, first: Array | int, count: int) -> Array:
        """`(count, width)`, from row `first` on."""
        start = (self.index, first, 0)
        return jax.lax.dynamic_slice(self.stack, start, (1, count, self.shape[1]))[0]


def _rows(image: Array | Frame, first: Array | int, count: int) -> Array:
    """Some rows of a picture."""
    if isinstance(image, Frame):
        return image.rows(first, count)
    if isinstance(first, int):
        return jax.lax.slice_in_dim(image, first, first + count)
    return jax.lax.dynamic_slice_in_dim(image, first, count)


def _even_strips(height: int, rows: int) -> int:
    """The divisor of `height` nearest to `rows`, within a quarter; else `rows`."""
    near = [r for r in range(rows - rows // 4, rows + rows // 4 + 1) if r and height % r == 0]
    return min(near, key=lambda r: abs(r - rows), default=rows)


def _blocks(image: Array, count: int, step: int, halo: int, last: int) -> Array:
    """`(count, step + halo, ...)`: strips that begin `step` rows apart, the last one at `last`.

    Made of shifted blocks and not of slices in a loop: the derivative of these is one picture
    per strip, that of blocks a few sums. It costs a copy, so only derivatives take this form.
    """
    parts = []
    for first in range(0, step + halo, step):
        size = min(step, step + halo - first)
        rows = image[first : first + (count - 1) * step]
        missing = (count - 1) * step - rows.shape[0]  # at the end of a block that is cut anyway
        rows = jnp.pad(rows, ((0, missing), *((0, 0) for _ in image.shape[1:])))
        blocks = rows.reshape((count - 1, step, *image.shape[1:]))
        parts.append(blocks[:, :size])
    end = image[last : last + step + halo]
    return jnp.concatenate([jnp.concatenate(parts, axis=1), end[None]])


@dataclass(frozen=True)
class _Strips:
    """How a picture function goes over strips; see `map_rows`, whose arguments these are."""

    fn: Callable[..., Any]
    height: int
    halo: int
    stride: int
    rows: int
    first: int | None

    @property
    def count(self) -> int:
        """Number of strips."""
        return -(-self.height // self.rows)

    def used(self, image: Array | Frame) -> Array:
        """The rows of an image that are read at all."""
        if self.first is None and not isinstance(image, Frame):
            return image
        return _rows(image, self.first or 0, self.height * self.stride + self.halo)

    def whole(self, *images: Array | Frame) -> Any:
        """The picture at once, as accelerators want it."""
        return jax.checkpoint(lambda *x: self.fn(*map(self.used, x)))(*images)

    def staged(self, *strips: Array) -> Any:
        """One strip, with stage boundaries."""

        @jax.checkpoint
        def call(*strips: Array) -> Any:
            with keep_stages():
                return self.fn(*strips)

        return call(*strips)

    def sliced(self, *images: Array | Frame) -> Any:
        """Strips cut by a slice each, which is cheapest where nothing is differentiated."""
        length = self.rows * self.stride + self.halo

        def one(start: Array) -> Any:
            start = start * self.stride + (self.first or 0)
            return self.staged(*(_rows(image, start, length) for image in images))

        # 32 bits also in a 64-bit scope: indexing may be lowered after the scope has closed
        starts = np.arange(self.count, dtype=np.int32) * self.rows
        starts = np.minimum(starts, np.int32(self.height - self.rows))
        return jax.tree.map(self._joined, jax.lax.map(one, starts))

    def shifted(self, *images: Array) -> Any:
        """Strips made of shifted blocks, whose derivative is cheap."""
        last, step = (self.height - self.rows) * self.stride, self.rows * self.stride
        cut = [_blocks(self.used(i), self.count, step, self.halo, last) for i in images]
        return jax.tree.map(self._joined, jax.lax.map(lambda strip: self.staged(*strip), cut))

    def _joined(self, stacked: Array) -> Array:
        # the last strip ends at the last row; the rows it shares with its neighbour are dropped
        overlap = self.count * self.rows - self.height
        if overlap == 0:
            return stacked.reshape((self.height, *stacked.shape[2:]))
        body = stacked[:-1].reshape(((self.count - 1) * self.rows, *stacked.shape[2:]))
        return jnp.concatenate([body, stacked[-1, overlap:]])

    def on_platform(self, strips: Callable[..., Any]) -> Callable[..., Any]:
        """Strips on CPU, or one if the picture is small; the whole picture elsewhere."""
        cpu = (lambda *images: self.staged(*map(self.used, images))) if self.count == 1 else strips
        return lambda *images: choose(*images, cpu=cpu, default=self.whole)


def map_rows(
    fn: Callable[..., Any],
    images: tuple[Array | Frame, ...],
    *,
    height: int,
    halo: int = 0,
    stride: int = 1,
    rows: int = STRIP_ROWS,
    first: int | None = None,
) -> Any:
    """Applies `fn` to row strips of `images` and stacks what it returns.

    Args:
        fn: takes one array per image, with `rows * stride + halo` rows (`height * stride + halo`
            when not strip-wise), and returns a pytree of arrays whose leading axis has `rows`
            (`height`) entries: per-row sums or rows of a picture. It must treat all rows alike,
            and what is differentiated must come in through `images`, not by closure.
        images: arrays whose first axis has `height * stride + halo` rows, that is, already padded;
            or frames in their stack.
        height: rows of output.
        halo: extra input rows in all (both sides together).
        stride: input rows per output row.
        rows: output rows of a strip, about: more for narrow pictures, and a near divisor of
            `height` where there is one, because strips without overlap join without a copy.
        first: row of `images` where the first strip begins; they may then have rows to spare. On
            CPU that saves the copy that cutting them beforehand is.

    Returns:
        The pytree of `fn`, each leaf with `height` entries along its first axis.

    The result is differentiable; a strip is recomputed in the backward pass (`jax.checkpoint`), so
    memory stays that of the inputs plus one strip.
    """
    need = height * stride + halo
    for image in images:
        spare = image.shape[0] - need - (first or 0)
        if spare < 0 or (spare > 0 and first is None):
            raise ValueError(f"map_rows needs {need} rows, got {image.shape[0]}.")
    width = max(1, max(image.shape[-1] for image in images))
    rows = min(height, _even_strips(height, max(rows, rows * _NARROW // width)))
    if height * stride * width <= _WHOLE:
        rows = height
    strips = _Strips(fn, height, halo, stride, rows, first)
    value, derived = strips.on_platform(strips.sliced), strips.on_platform(strips.shifted)
    run = jax.custom_jvp(value)

    @run.defjvp
    def _(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Any, Any]:
        # the value once more, because a backward pass often comes without one: it is dropped there
        return value(*primals), jax.jvp(derived, primals, tangents)[1]

    return run(*images)


def map_frames(
    fn: Callable[..., Any],
    *stacks: Array,
    window: int = 1,
    recompute: bool = False,
    in_stack: bool = False,
) -> Any:
    """Applies `fn` to each frame of stacks with a leading frame axis, one frame at a time.

    Args:
        fn: takes one `(height, width)` array per stack, or `(window, height, width)` if
            `window > 1` (frame i and the `window - 1` frames before it, oldest first).
        stacks: arrays `(frames + window - 1, height, width)`.
        window: frames that `fn` sees together.
        recompute: whether a backward pass starts from the frames again and keeps nothing of the
            forward pass: where `fn` goes strip by strip, that costs less than keeping padded
            pictures of all frames.
        in_stack: `fn` takes a `Frame` instead, or with a window a tuple of them, per stack.

    Returns:
        The pytree of `fn` with a leading axis of `frames`.
    """
    count = stacks[0].shape[0] - window + 1
    stacks, firsts = zip(*map(_uncut, stacks), strict=True)

    def one(index: Array, *stacks: Array) -> Any:
        indices = [index + np.int32(first) if first else index for first in firsts]
        cut = zip(stacks, indices, strict=True)
        if in_stack:
            views = [tuple(Frame(s, i + np.int32(k)) for k in range(window)) for s, i in cut]
            frames = views if window > 1 else [view[0] for view in views]
        elif window == 1:
            frames = [jax.lax.dynamic_index_in_dim(s, i, keepdims=False) for s, i in cut]
        else:
            frames = [jax.lax.dynamic_slice_in_dim(s, i, window) for s, i in cut]
        return fn(*frames)

    if (idle := _idle.get()) is not None:
        return _map_some(one, count, idle, *stacks)
    if recompute:
        one = jax.checkpoint(one, prevent_cse=False)
    # 32 bits for the same reason as in map_rows
    return jax.lax.map(lambda index: one(index, *stacks), np.arange(count, dtype=np.int32))


def _map_some(one: Callable[..., Any], count: int, idle: Array, *stacks: Array) -> Any:
    """`one(index, *stacks)` for all but the last `idle` of `count` frames."""
    one = jax.jit(one)  # traced once, for the shapes and for the loop
    first = jax.ShapeDtypeStruct((), np.int32)
    values = jax.tree.map(
        lambda x: jax.lax.full((count, *x.shape), 0, x.dtype), jax.eval_shape(one, first, *stacks)
    )

    def step(index: Array, values: Any) -> Any:
        put = jax.lax.dynamic_update_index_in_dim
        return jax.tree.map(lambda all, x: put(all, x, index, 0), values, one(index, *stacks))

    return jax.lax.fori_loop(np.int32(0), np.int32(count) - idle, step, values)
