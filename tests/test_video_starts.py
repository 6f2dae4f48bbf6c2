"""Videos cut inside a group of pictures, against what was made before the cut and after it."""

import re

import numpy as np
import pytest

from jaxvqa.video import InputOptions, VideoError, open_pair
from tests.real_files import HIGH, Studio

PLAIN = "-preset veryfast -x264-params scenecut=0:keyint=12:open-gop=1"
MADE = {
    "h264.ts": f"-i @long.y4m -c:v libx264 -crf 8 -bf 2 {PLAIN}",
    "mpeg2.ts": "-i @long.y4m -c:v mpeg2video -q:v 2 -g 12 -bf 2",
    "whole.mp4": f"-i @long.y4m {HIGH}",
}
CUTS = {"cut_h264.ts": ("h264.ts", 40), "cut_mpeg2.ts": ("mpeg2.ts", 40)}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    studio = Studio(tmp_path_factory.mktemp("starts"))
    studio.recipes |= MADE
    for name, (whole, packets) in CUTS.items():
        studio.special[name] = lambda whole=whole, packets=packets: studio.file(whole).read_bytes()[
            188 * packets :
        ]
        studio.recipes[f"of_{name}.mp4"] = f"-i @{name} -fps_mode passthrough {HIGH}"
    return studio


def compared(studio, ref, dis, **options):
    with open_pair(studio.file(ref), studio.file(dis), InputOptions(**options)) as pair:
        errors = [np.square(a[0].astype(float) - b[0]).mean() for _, a, b in pair]
        return errors, [notice.code for notice in pair.notices]


def following(studio, ref, dis):
    """What is compared once every advice about skips is followed."""
    options = {}
    for _ in range(3):
        try:
            return compared(studio, ref, dis, **options)
        except VideoError as error:
            problem = str(error)
        skips = re.findall(r"skip_(ref|dis)=(\d+)", problem)
        assert skips, problem
        options |= {f"skip_{side}": int(count) for side, count in skips}
    raise AssertionError(options)


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_was_made_of_a_cut_video_is_compared_frame_by_frame(studio, name, swapped):
    """Its first frame is the cut video's first that a decoder gives, whole or not."""
    files = (name, f"of_{name}.mp4")[:: -1 if swapped else 1]
    errors, _ = following(studio, *files)
    assert len(errors) >= 8
    assert max(errors) < 20  # a frame next to the right one differs by more than 60


def test_frames_that_neither_side_has_are_told(studio):
    errors, codes = compared(studio, "cut_mpeg2.ts", "of_cut_mpeg2.ts.mp4")
    assert codes == ["missing-frames"]
    assert max(errors) < 20
