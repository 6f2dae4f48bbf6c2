"""The count of bytes, operations and kernels in compiled programs, on programs known by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tests import scripts

hlo_cost = scripts.load("hlo_cost")


def text_of(fn, *args):
    return jax.jit(fn).lower(*args).compile().as_text()


def test_a_kernel_reads_and_writes_once():
    x = np.ones((100, 40), np.float32)
    found = hlo_cost.cost(text_of(lambda x: x * x + x, x))
    assert (found.bytes, found.operations) == (2 * x.nbytes, 2 * x.size)


def test_slices_count_what_they_read():
    x = np.ones((100, 40), np.float32)
    found = hlo_cost.cost(text_of(lambda x: x[10:20] * 2, x))
    assert (found.bytes, found.operations) == (2 * 10 * 40 * 4, 400)


def test_a_loop_counts_as_often_as_it_runs():
    frames = np.ones((7, 64, 64), np.float32)

    def run(frames):
        return jax.lax.map(lambda x: jnp.sqrt(x) * x, frames)

    found = hlo_cost.cost(text_of(run, frames))
    assert found.open_loops == 0
    # beside the frames: the result filled with zeros first; counting, some bytes a turn
    assert 2 * frames.nbytes <= found.bytes < 3 * frames.nbytes + 7 * 100
    assert 2 * frames.size <= found.operations < 2 * frames.size + 7 * 20


def test_a_loop_of_unknown_length_is_said():
    def run(x):
        return jax.lax.while_loop(lambda x: x.sum() < 100, lambda x: x * 2, x)

    assert hlo_cost.cost(text_of(run, np.ones(8, np.float32))).open_loops == 1


KERNELS = """HloModule three

%twice (a: f32[8]) -> f32[8] {
  %a = f32[8]{0} parameter(0)
  ROOT %sum = f32[8]{0} add(%a, %a)
}

%again (b.1: f32[8]) -> f32[8] {
  %b.1 = f32[8]{0} parameter(0)
  ROOT %other = f32[8]{0} add(%b.1, %b.1), metadata={op_name="elsewhere"}
}

%square (a: f32[8]) -> f32[8] {
  %a = f32[8]{0} parameter(0)
  ROOT %product = f32[8]{0} multiply(%a, %a)
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0)
  %first = f32[8]{0} fusion(%x), kind=kLoop, calls=%twice
  %second = f32[8]{0} fusion(%first), kind=kLoop, calls=%again
  ROOT %third = f32[8]{0} fusion(%second), kind=kLoop, calls=%square
}
"""


def test_equal_kernels_count_once():
    assert hlo_cost.different_kernels(KERNELS) == 2
    assert hlo_cost.cost(KERNELS).operations == 24
