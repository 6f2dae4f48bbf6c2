"""What is said of a video that is being read."""

from __future__ import annotations

from jaxvqa._notice import Notice


def interlaced_notice(path: str, count: int, read: int) -> Notice:
    """Says that fields were compared.

    Args:
        path: the video.
        count: frames that are marked interlaced.
        read: frames so far.
    """
    if count < read:
        what = (
            f"{count} of its {read} frames are marked interlaced, the others not (mixed or "
            "telecined video)"
        )
    else:
        what = "the video is interlaced"
    text = (
        f"{path}: {what}, but the metrics expect whole frames: deinterlace both videos with "
        "deinterlace='bwdif'."
    )
    return Notice("interlaced", text)


def counted(damaged: int, left_out: bool) -> str:
    """What was done with damaged frames."""
    many = "1 damaged frame was" if damaged == 1 else f"{damaged} damaged frames were"
    it = "it" if damaged == 1 else "them"
    return f"{many} " + ("left out" if left_out else f"scored as the decoder shows {it}")


def skip_problem(count: int, skip: int) -> str:
    """Why frames cannot be skipped."""
    return f"has only {count} frames, so skipping {skip} leaves none: skip fewer."
