"""Videos that begin inside a group of pictures: which frames of the other have no partner.

A decoder leaves out, or spoils, what refers to pictures before the cut. An encode that was made
from what a decoder showed lacks these frames too; one that was made before the cut has them.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxvqa._notice import Notice
from jaxvqa.video._errors import VideoError
from jaxvqa.video._inputs import InputOptions
from jaxvqa.video._pair.alignment import Reopen, more_alike
from jaxvqa.video._reader import Video


def check_starts(
    ref: Video, dis: Video, inputs: InputOptions, reopen: Sequence[Reopen]
) -> list[Notice]:
    """What to know of frames at the start that cannot be decoded.

    Args:
        ref: the reference.
        dis: the distorted video.
        inputs: what a user wants.
        reopen: opens each file once more.

    Raises:
        VideoError: frames that are to be left out of either side, with the options that do it.
    """
    sides = (ref, "skip_ref", dis, "skip_dis"), (dis, "skip_dis", ref, "skip_ref")
    for video, own, other, others in sides:
        if video.begins_damaged and (count := video.count_damaged_start()):
            advice = f"{own}={count}"
            if not other.skip and (more := _before_whole(video, other, count)):
                advice += f" and {others}={more}"
            raise VideoError(
                video.info.path,
                f"its first {count} frames cannot be decoded whole, as it begins inside a "
                f"group of pictures: leave them out with {advice}.",
            )
    aligned = inputs.skip_ref or inputs.skip_dis or inputs.offset is not None
    if ref.leading == dis.leading or aligned or inputs.absolute_time:
        return []
    late, other, others = (ref, dis, "skip_dis")
    if dis.leading > ref.leading:
        late, other, others = (dis, ref, "skip_ref")
    count = late.leading - other.leading
    problem = f"its first {count} frames cannot be decoded, as it begins inside a group of pictures"
    if _lacks_them_too(late, other, count, reopen if late is ref else reopen[::-1]):
        text = f"{late.info.path}: {problem}; {other.info.path} was made without them, so both are "
        return [Notice("missing-frames", text + "compared from their first frame on.")]
    raise VideoError(
        late.info.path,
        f"{problem}: leave as many out of the other video with {others}={count}.",
    )


def _before_whole(video: Video, other: Video, damaged: int) -> int:
    """Frames of another video before the first that is whole in one that begins damaged."""
    mine, its = video.timeline().count, other.timeline().count
    if mine is not None and its is not None and mine - damaged <= its <= mine:
        return its - (mine - damaged)
    return damaged + max(0, video.leading - other.leading)


def _lacks_them_too(late: Video, other: Video, count: int, reopen: Sequence[Reopen]) -> bool:
    """Whether another video has no frames for those that a late one lost either."""
    mine, its = late.timeline().count, other.timeline().count
    if mine is None or its is None or not (late.is_file and other.is_file):
        return False
    common = min(mine, its - count)
    if common < 1:
        return mine == its
    ways = [(i, i) for i in range(common)], [(i, i + count) for i in range(common)]
    likelier = more_alike(late, other, (reopen[0], reopen[1]), ways)
    return likelier == 0 if likelier is not None else mine == its
