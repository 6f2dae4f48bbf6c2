"""Transfer functions and matrices that differ and that nothing converts are told."""

import pytest

from jaxvqa.video import InputOptions, open_pair
from tests.test_video_pair import make

# FFmpeg's codes of transfer functions and matrices
KINDS = {
    "sdr": {"color_trc": 1, "colorspace": 1},
    "pq": {"color_trc": 16, "colorspace": 9},
    "hlg": {"color_trc": 18, "colorspace": 9},
    "pq709": {"color_trc": 16, "colorspace": 1},
    "ictcp": {"color_trc": 16, "colorspace": 14},
    "constant": {"color_trc": 16, "colorspace": 10},
    "ycgco": {"color_trc": 1, "colorspace": 8},
}


def told(folder, ref, dis, **options):
    """Codes of the notices about colours, and the filters of the distorted video."""
    files = [make(folder, f"{name}.mkv", depth=10, tags=KINDS[name])[0] for name in (ref, dis)]
    with open_pair(*files, InputOptions(**options)) as pair:
        list(pair)
        codes = [n.code for n in pair.notices if n.code in ("transfer", "matrix")]
        return codes, pair.dis.conversion


@pytest.mark.parametrize(
    "ref, dis, codes",
    [
        ("sdr", "pq", ["transfer"]),
        ("pq", "hlg", ["transfer"]),
        ("pq", "ictcp", ["matrix"]),
        ("ictcp", "pq", ["matrix"]),
        ("pq", "constant", ["matrix"]),
        ("sdr", "ycgco", ["matrix"]),
        ("ictcp", "ictcp", []),
        ("ycgco", "ycgco", []),
    ],
)
def test_what_cannot_be_converted_is_told_and_left(tmp_path, ref, dis, codes):
    assert told(tmp_path, ref, dis) == (codes, "")


def test_matrices_of_one_transfer_function_are_converted(tmp_path):
    codes, filters = told(tmp_path, "pq", "pq709")
    assert codes == ["matrix"]
    assert "in_color_matrix=bt709:out_color_matrix=bt2020" in filters
    assert told(tmp_path, "pq", "pq709", color="as-is") == ([], "")
    assert told(tmp_path, "pq", "ictcp", color="as-is") == ([], "")
