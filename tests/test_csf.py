import math

import pytest

from jaxvqa.features._adm import csf

# sensitivities that libvmaf's formulas give in double arithmetic, straight and diagonal
WATSON = {
    (3.0, 1080): [
        (0.0173815342, 0.00589068656),
        (0.0319848145, 0.0142990667),
        (0.0433726647, 0.0243969129),
        (0.04567341, 0.0313127351),
    ],
    (5.0, 1080): [
        (0.00683917441, 0.00203585616),
        (0.0145245031, 0.00570335946),
        (0.022730837, 0.0112305184),
        (0.0276251495, 0.0166351915),
    ],
}
NATIVE = [
    (0.00544585178, 0.000230554016),
    (0.166835062, 0.040745667),
    (0.667863465, 0.389219625),
    (0.986264592, 0.877359955),
]
# the float32 values that the tool's C function returns; the second display with a factor
BARTEN = {
    (3.0, 1080, 1.0): [
        1.2104965448379517, 5.042222499847412, 14.62706470489502, 26.975881576538086,
    ],
    (4.5, 1080, 0.001586): [
        0.0007063233642838895, 0.0035936480853706598, 0.013141851872205734, 0.03170523792505264,
    ],
}  # fmt: skip


@pytest.mark.parametrize("display", WATSON)
@pytest.mark.parametrize("scale", range(4))
def test_watson(display, scale):
    # our steps round to float32: the log10, squared and raised to a power of ten, moves by 5e-7
    found = csf.watson(scale, *display)
    assert found == pytest.approx(WATSON[display][scale], rel=1e-6)


@pytest.mark.parametrize("scale", range(4))
def test_native(scale):
    # nine digits are known: half a unit of the last is at most 5e-9 of the number
    assert csf.native(scale, 3.0, 1080) == pytest.approx(NATIVE[scale], rel=5e-9)


@pytest.mark.parametrize("display", BARTEN)
@pytest.mark.parametrize("scale", range(4))
def test_barten_equals_the_tool(display, scale):
    distance, rows, gain = display
    found = csf.barten(scale, distance, rows, gain, 2 * gain)
    assert found == (BARTEN[display][scale], 2 * BARTEN[display][scale])


def test_native_is_the_published_curve():
    u = csf.pixels_per_degree(4.0, 720) / 4
    assert csf.native(1, 4.0, 720)[0] == pytest.approx((0.31 + 0.69 * u) * math.exp(-0.29 * u))


def test_blend_depends_on_pixels_per_degree():
    for mode in (2, 3):
        for scale in range(4):
            near_4k = csf.blend(mode, scale, 1.5, 2160)
            assert near_4k == csf.blend(mode, scale, 3.0, 1080)
            if scale > 0:  # twice the resolution is one octave finer
                assert csf.blend(mode, scale, 3.0, 2160) == csf.blend(mode, scale - 1, 3.0, 1080)
    assert csf.blend(2, 3, 3.0, 1080) == (0.058621, 0.035901)
    assert csf.blend(3, 0, 5.0, 480) == (0.015665, 0.006514)


def test_blend_refuses_what_has_no_table():
    with pytest.raises(ValueError, match=r"no table .* 1080 rows at 4 heights.* 2160 x 1\.5"):
        csf.blend(2, 0, 4.0, 1080)
    with pytest.raises(ValueError, match="modes 2 and 3, got 1"):
        csf.blend(1, 0, 3.0, 1080)
