"""`Planes`: what its constructor checks, and that JAX may put anything in place of the planes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxvqa import Planes, features


def planes(dtype=np.uint8, clips=()):
    y = np.arange(2 * 16 * 20).reshape(2, 16, 20) % 200
    sides = (y, y[:, ::2, ::2], y[:, ::2, 1::2])
    shaped = (np.broadcast_to(p, (*clips, *p.shape)).astype(dtype) for p in sides)
    return Planes(*shaped, bit_depth=8)


@pytest.mark.parametrize(
    "placeholder", [None, object(), 0, "axis", np.zeros((), jax.dtypes.float0)]
)
def test_any_leaves_may_be_put_in(placeholder):
    leaves, tree = jax.tree.flatten(planes())
    hollow = jax.tree.unflatten(tree, [placeholder] * 3)
    assert (hollow.y, hollow.u, hollow.v) == (placeholder,) * 3
    assert hollow.bit_depth == 8
    back = jax.tree.unflatten(tree, leaves)
    np.testing.assert_array_equal(back.y, planes().y)
    if placeholder is not None:
        assert jax.tree.structure(hollow) == tree


def test_the_constructor_refuses_what_jax_may_put_in():
    with pytest.raises(TypeError, match="Planes takes arrays"):
        Planes(object())
    with pytest.raises(TypeError, match="Planes takes arrays"):
        planes().replace(y=None)
    with pytest.raises(TypeError, match="int32"):
        Planes(np.zeros((2, 2), np.int32), bit_depth=8)


def test_paths_name_the_planes():
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(planes())]
    assert paths == [".y", ".u", ".v"]


def test_axes_of_vmap_may_be_a_tree_of_planes():
    ref, dis = planes(clips=(3,)), planes()
    axes = jax.tree.map(lambda _: 0, dis)
    shared = jax.tree.map(lambda _: None, dis)
    difference = jax.vmap(lambda r, d: (r.y - d.y).sum() + r.v.sum(), in_axes=(axes, shared))
    found = difference(ref, dis)
    assert found.shape == (3,)
    batched = jax.vmap(lambda r: r.replace(y=r.y + 1), out_axes=axes)(ref)
    np.testing.assert_array_equal(batched.y, ref.y + 1)


def test_shapes_come_without_numbers():
    shapes = jax.eval_shape(lambda p: p.replace(y=p.y.astype(jnp.float32)), planes())
    assert isinstance(shapes, Planes)
    assert (shapes.y.shape, shapes.y.dtype, shapes.chroma) == ((2, 16, 20), np.float32, "420")
    found = jax.eval_shape(features.motion, shapes, shapes)
    assert found["motion"].shape == (2,)


def test_gradients_by_integer_planes_are_empty_and_by_float_planes_are_planes():
    def total(p):
        return sum(jnp.sum(x.astype(jnp.float32) ** 2) for x in jax.tree.leaves(p))

    empty = jax.grad(total, allow_int=True)(planes())
    assert isinstance(empty, Planes)
    assert {x.dtype for x in jax.tree.leaves(empty)} == {jax.dtypes.float0}
    slope = jax.grad(total)(planes(np.float32))
    np.testing.assert_array_equal(slope.v, 2 * planes(np.float32).v)
    assert slope.bit_depth == 8


def test_planes_go_through_loops_and_switches():
    def body(p, _):
        return jax.tree.map(lambda x: x + 1, p), p.y.sum()

    last, sums = jax.lax.scan(body, planes(np.float32), None, length=3)
    np.testing.assert_array_equal(last.u, planes().u + 3.0)
    assert sums.shape == (3,)
    chosen = jax.lax.cond(sums[0] > 0, lambda p: p, lambda p: jax.tree.map(jnp.zeros_like, p), last)
    np.testing.assert_array_equal(chosen.y, last.y)
