"""DASH manifests give the frames of their segments, joined in order."""

import functools
import http.server
import itertools
import re
import threading

import numpy as np
import pytest

from jaxvqa.video import VideoError, describe_file, open_video
from tests.test_video_sources import Quiet, ffmpeg

SOURCE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3", "-c:v", "libx264", "-g", "25")
WAYS = {
    "timeline.mpd": (),
    "number.mpd": ("-use_timeline", "0"),
    "list.mpd": ("-use_template", "0"),
    "ranges.mpd": ("-single_file", "1"),
}
HEAD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT3S">'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dash")
    for name, how in WAYS.items():
        stem = name.partition(".")[0]
        ffmpeg(
            folder, *SOURCE, "-seg_duration", "1", *how, "-init_seg_name", f"{stem} i.m4s",
            "-media_seg_name", f"{stem} $Number%05d$.m4s", "-f", "dash", name,
        )  # fmt: skip
    return folder


def frames(path):
    with open_video(path) as video:
        return np.stack([planes[0] for planes in video])


@functools.lru_cache
def right(folder):
    parts = [folder / "timeline i.m4s", *sorted(folder.glob("timeline 0*.m4s"))]
    (folder / "joined.mp4").write_bytes(b"".join(part.read_bytes() for part in parts))
    return frames(folder / "joined.mp4")


def same(found, folder):
    assert len(found) == 75
    np.testing.assert_array_equal(found, right(folder))


@pytest.mark.parametrize("name", WAYS)
def test_segments_are_read_in_order(folder, name):
    same(frames(folder / name), folder)
    assert describe_file(folder / name).container == "DASH manifest"


def test_a_whole_file_and_a_base(folder):
    whole = next(folder.glob("ranges-*.mp4")).name
    (folder / "sub").mkdir()
    (folder / "sub" / "whole.mpd").write_text(
        f"{HEAD}<BaseURL>../</BaseURL><Period><AdaptationSet><Representation bandwidth='1' "
        f"mimeType='video/mp4'><BaseURL>{whole}</BaseURL><SegmentBase indexRange='0-9'/>"
        "</Representation></AdaptationSet></Period></MPD>"
    )
    same(frames(folder / "sub" / "whole.mpd"), folder)


def test_a_timeline_that_repeats_up_to_the_end(folder):
    text = (folder / "timeline.mpd").read_text()
    open_ended, count = re.subn(r'(<S t="0" d="\d+" )r="\d+"', r'\1r="-1"', text)
    assert count == 1
    (folder / "open.mpd").write_text(open_ended)
    same(frames(folder / "open.mpd"), folder)


def test_an_address(folder):
    (folder / "bare.mpd").write_text(
        f"{HEAD}<Period><AdaptationSet contentType='video'><Representation/></AdaptationSet>"
        "</Period></MPD>"
    )
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        base = f"http://127.0.0.1:{server.server_port}"
        try:
            same(frames(f"{base}/list.mpd?x=1"), folder)
            with pytest.raises(VideoError, match="cannot be reached"):
                open_video(f"{base}/none.mpd")
            with pytest.raises(VideoError, match="has no video in it whose segments"):
                open_video(f"{base}/bare.mpd?x=1")
        finally:
            server.shutdown()
    same(frames((folder / "ranges.mpd").as_uri()), folder)


def test_the_best_is_taken_and_others_can_be(tmp_path):
    ffmpeg(
        tmp_path, *SOURCE[:4], "-map", "0", "-map", "0", "-s:v:0", "32x24", "-c:v", "libx264",
        "-g", "25", "-f", "dash", "both.mpd",
    )  # fmt: skip
    with open_video(tmp_path / "both.mpd") as video:
        assert (video.info.width, [n.code for n in video.notices]) == (64, ["streams"])
    with open_video(tmp_path / "both.mpd", stream=0) as video:
        assert video.info.width == 32


def template(attributes):
    """A manifest of 3 seconds whose only representation has a template."""
    return (
        f"{HEAD}<Period><AdaptationSet contentType='video'><Representation id='1'>"
        f"<SegmentTemplate {attributes}/></Representation></AdaptationSet></Period></MPD>"
    )


ENCRYPTED = (
    "<MPD><Period><AdaptationSet contentType='video'><ContentProtection/><Representation/>"
    "</AdaptationSet></Period></MPD>"
)
ENTITIES = "".join(f"<!ENTITY {b} '{f'&{a};' * 20}'>" for a, b in itertools.pairwise("abcdefg"))
BOMB = f"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>{ENTITIES}]><MPD>&g;</MPD>"


@pytest.mark.parametrize(
    "text, problem",
    [
        (" ", "is not a DASH manifest"),
        ("<MPD", "is not a DASH manifest"),
        ("<html/>", "is not a DASH manifest"),
        (BOMB, "is not a DASH manifest"),
        ("<MPD type='dynamic'/>", "is the manifest of a live stream"),
        ("<MPD/>", "has 0 periods"),
        ("<MPD><Period/><Period/></MPD>", "has 2 periods"),
        ("<MPD><Period/></MPD>", "has no video in it"),
        (ENCRYPTED, "is encrypted"),
        (template(""), "makes no sense"),
        (template("duration='1'"), "makes no sense"),
        (template("duration='-1' media='a'"), "has no video in it"),
        (template("duration='x' media='a'"), "makes no sense"),
        (template("duration='1' timescale='9999999' media='a'"), "makes no sense"),
        (template("duration='1' media='ftp://x/a'"), "makes no sense"),
        (template("duration='1' media='gone.m4s'"), "FFmpeg can read|cannot be"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, text, problem):
    (tmp_path / "bad.mpd").write_text(text)
    with pytest.raises(VideoError, match=problem):
        open_video(tmp_path / "bad.mpd")
