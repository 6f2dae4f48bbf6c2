"""Pictures, sequences of them and playlists are the frames that FFmpeg's own program decodes."""

import shutil
import struct

import numpy as np
import pytest

import jaxvqa
from jaxvqa.video import VideoError, open_video
from tests.test_video_sources import ffmpeg

SOURCE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.5")
CODECS = {
    "clip.gif": (),
    "clip.apng": ("-f", "apng"),
    "clip.avif": ("-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p"),
    "still.avif": ("-c:v", "libaom-av1", "-cpu-used", "8", "-pix_fmt", "yuv420p", "-frames:v", "1"),
    "still.webp": ("-c:v", "libwebp", "-frames:v", "1"),
    "still.png": ("-frames:v", "1"),
    "still.jpg": ("-frames:v", "1"),
    "still.tiff": ("-frames:v", "1"),
    "still.bmp": ("-frames:v", "1"),
    "moving.webp": ("-c:v", "libwebp_anim"),
}
VARIANTS = (
    "-f", "lavfi", "-i", "testsrc2=s=64x48:d=2", "-f", "lavfi", "-i", "testsrc2=s=128x96:d=2",
    "-map", "0:v", "-map", "1:v", "-map", "1:v", "-c:v", "libx264", "-b:v:0", "50k", "-b:v:1",
    "100k", "-b:v:2", "900k", "-g", "25", "-hls_time", "1", "-hls_playlist_type", "vod",
    "-var_stream_map", "v:0 v:1 v:2", "-master_pl_name", "all.m3u8", "v%v.m3u8",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, codec in CODECS.items():
        ffmpeg(folder, *SOURCE, *codec, name)
    return folder


def check(folder, name, path=None, stream="v:0", count=5):
    """Frames equal those of FFmpeg's own program; RGB within rounding. Gives facts and notices."""
    with open_video(folder / (path or name)) as video:
        frames = [np.concatenate([p.ravel() for p in planes]) for planes in video]
        info, notices = video.info, video.notices
    form = {"420": "yuv420p", "422": "yuv422p", "444": "yuv444p"}[info.chroma]
    form = info.pixel_format if info.pixel_format.startswith("yuvj") else form
    chosen = ("-map", f"0:{stream}") if stream else ()
    data = ffmpeg(
        folder, "-i", name, *chosen, "-pix_fmt", form, "-sws_flags", "bicubic", "-f", "rawvideo",
        "-fps_mode", "passthrough", "-",
    )  # fmt: skip
    wanted = np.frombuffer(data, np.uint8).reshape(len(frames), -1)
    assert len(frames) == count
    assert np.max(np.abs(wanted - np.stack(frames).astype(int))) <= (1 if info.is_rgb else 0)
    return info, notices


@pytest.mark.parametrize("name", [name for name in CODECS if name != "moving.webp"])
def test_pictures(folder, name):
    still = name.startswith("still")
    stream = "v:1" if name == "clip.avif" else "v:0"
    info, notices = check(folder, name, stream=stream, count=1 if still else 5)
    assert info.fps == (None if still else 10)
    assert notices == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_and_mirrored(folder, tmp_path, orientation, order):
    sides = (64, 48) if orientation < 5 else (48, 64)
    tiff = b"II*\0" if order == "<" else b"MM\0*"
    tiff += struct.pack(order + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
    exif = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    data = (folder / "still.jpg").read_bytes()
    (tmp_path / "photo.jpg").write_bytes(data[:2] + exif + data[2:])
    info, _ = check(tmp_path, "photo.jpg", count=1)
    assert (info.width, info.height) == sides


def test_moving_webp_is_refused_with_a_way_that_works(folder):
    with pytest.raises(VideoError, match=r"is an animated WebP.*ffmpeg -i INPUT OUTPUT\.apng"):
        open_video(folder / "moving.webp")
    ffmpeg(folder, "-i", "moving.webp", "-f", "apng", "moved.apng")
    check(folder, "moved.apng")


@pytest.fixture
def numbered(tmp_path):
    """Pictures 8 to 12."""
    ffmpeg(tmp_path, *SOURCE, "-start_number", "8", "f_%d.png")
    return tmp_path


def test_numbered_pictures(numbered):
    ffmpeg(numbered, "-start_number", "8", "-i", "f_%d.png", "-c", "copy", "all.mkv")
    info, notices = check(numbered, "all.mkv", "f_%d.png")
    assert (info.fps, info.frame_count, notices) == (None, 5, [])
    (numbered / "f_10.png").unlink()
    with pytest.raises(VideoError, match="number 10 is missing, though 9 and 11 are there"):
        open_video(numbered / "f_%d.png")
    with pytest.raises(VideoError, match="there are no such pictures"):
        open_video(numbered / "f_%03d.png")


def test_a_folder_of_pictures(numbered):
    ffmpeg(numbered, "-start_number", "8", "-i", "f_%d.png", "-c", "copy", "all.mkv")
    folder = numbered / "100% of it"
    folder.mkdir()
    for path in numbered.glob("f_*.png"):
        path.rename(folder / path.name)
    (folder / "notes.txt").write_text("no picture")
    info, _ = check(numbered, "all.mkv", folder)
    assert (info.fps, info.frame_count) == (None, 5)
    result = jaxvqa.score(folder, folder, model=None, features=["float_motion"])
    assert len(result.frames["motion"]) == 5
    shutil.copy(folder / "f_8.png", folder / "f_8.jpg")
    with pytest.raises(VideoError, match=r"pictures of several kinds \(\.jpg, \.png\)"):
        open_video(folder)


def test_the_best_variant_of_a_playlist(tmp_path):
    ffmpeg(tmp_path, *VARIANTS)
    info, (notice,) = check(tmp_path, "all.m3u8", stream="v:2", count=50)
    assert (info.width, info.stream, notice.code) == (128, 2, "streams")
    assert "has 3 variants; the best, stream 2 with 128x96 and " in notice.text
    (tmp_path / "v20.ts").rename(tmp_path / "v20.odd")
    text = (tmp_path / "v2.m3u8").read_text()
    (tmp_path / "odd.m3u8").write_text(text.replace("v20.ts", "v20.odd"))
    info, notices = check(tmp_path, "v1.m3u8", count=50)
    assert (info.fps, notices) == (25, [])
    with open_video(tmp_path / "odd.m3u8") as video:
        assert len(list(video)) == 50
