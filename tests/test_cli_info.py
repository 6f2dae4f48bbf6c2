"""`jaxvqa info`: what scoring sees of a file, as text and as JSON."""

import json
import re
import subprocess
import sys
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pytest

from jaxvqa._cli.info_text import facts_of
from jaxvqa._cli.main import main
from jaxvqa.video import VideoError, VideoInfo, describe_file, write_y4m
from jaxvqa.video._container.hdr_metadata import HdrMetadata
from jaxvqa.video._describe.inspect import _in_words

SOURCE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=1")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")


def ffmpeg(*arguments):
    """Runs FFmpeg, and shows what it says where it fails."""
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    done = subprocess.run([*program, *map(str, arguments)], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


def shown(capsys, *arguments, code=0):
    """The facts that the command prints for one file, by name."""
    assert main(["info", *map(str, arguments)]) == code
    out, err = capsys.readouterr()
    assert err == ""
    title, *lines = out.splitlines()
    assert title == str(arguments[0])
    pairs = [re.fullmatch(r"  (\S.*?) {2,}(\S.*)", line) for line in lines]
    assert all(pairs)
    assert len({p.start(2) for p in pairs}) == 1, "values are aligned"
    assert all(p[2] == p[2].strip() for p in pairs)
    return {p[1]: p[2] for p in pairs}


def frames(count, height=48, width=64):
    half = -(-height // 2), -(-width // 2)
    planes = tuple(np.full(shape, 128, np.uint8) for shape in ((height, width), half, half))
    return [planes] * count


def facts(**changes):
    return VideoInfo("", 64, 48, 8, "420", **({"fps": Fraction(30000, 1001)} | changes))


def test_y4m(tmp_path, capsys):
    write_y4m(tmp_path / "a.y4m", frames(30), facts(color_range="pc", interlaced=True))
    assert shown(capsys, tmp_path / "a.y4m") == {
        "container": "YUV4MPEG2 (y4m)",
        "stream 0": "rawvideo, 64x48, 29.97 (30000/1001) per second (taken)",
        "size": "64x48",
        "orientation": "upright",
        "samples": "8 bits, 4:2:0 (yuv420p)",
        "range": "full, tagged",
        "matrix": "that of the other video, assumed (no tag)",
        "primaries": "that of the other video, assumed (no tag)",
        "transfer": "SDR, assumed (no tag)",
        "rate": "29.97 (30000/1001) per second, constant",
        "duration": "1.001 s",
        "frames": "30, counted by file size",
        "interlaced": "yes, by the header",
    }


def test_y4m_that_ends_early(tmp_path, capsys):
    file = tmp_path / "a.y4m"
    write_y4m(file, frames(3), facts())
    file.write_bytes(file.read_bytes()[:-9])
    found = shown(capsys, file)
    assert found["frames"] == "not known before reading"
    assert found["note"] == "is cut short: it ends inside frame 2."


def test_raw(tmp_path, capsys):
    file = tmp_path / "a.yuv"
    file.write_bytes(bytes(2 * 64 * 48 * 3 // 2))
    found = shown(capsys, file, "-w", 64, "-h", 48, "-p", 420, "-b", 8)
    assert found["container"] == "raw video"
    assert (found["size"], found["frames"]) == ("64x48", "2, counted by file size")
    assert (found["rate"], found["interlaced"]) == ("not stated", "not known")
    assert found["range"] == "limited, assumed (no tag)"
    mono = shown(capsys, file, "-w", 64, "-h", 48, "-p", "gray")
    assert mono["matrix"] == "none, as there is no chroma"
    assert mono["range"] == "that of the other video, assumed (no tag)"
    assert mono["samples"] == "8 bits, monochrome (gray)"
    assert main(["info", str(file), "-w", "64"]) == 2
    assert "raw video needs its whole format" in capsys.readouterr().err
    assert main(["info", str(file)]) == 3
    assert "give --width, --height, --pixel-format and --bitdepth" in capsys.readouterr().err


def test_a_phone_video(tmp_path, capsys):
    ffmpeg(*SOURCE, *X264, "-vf", "setsar=4/3", tmp_path / "p.mp4")
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "p.mp4", "-c", "copy", tmp_path / "r.mp4")
    found = shown(capsys, tmp_path / "r.mp4")
    assert found["container"] == "QuickTime / MOV"
    assert found["stream 0"] == "h264, 320x180, 25 per second, default (taken)"
    assert found["size"] == "180x320 as shown, 320x180 as stored"
    assert found["orientation"] == "turned 90 degrees anticlockwise"
    assert found["pixel aspect"] == "3:4, so a screen shows it as 135x320"
    assert found["rate"] == "25 per second, constant"
    assert (found["first frame"], found["duration"]) == ("at 0 s", "1 s")
    assert found["frames"] == "25, counted by decoding"
    assert found["interlaced"] == "no (all 25 frames)"
    assert "film grain" not in found


@pytest.mark.parametrize(
    "filters, words",
    [
        ((), "upright"),
        (("hflip", "vflip"), "turned 180 degrees"),
        (("hflip",), "mirrored"),
        (("rotate=45*PI/180",), "turned 45 degrees clockwise"),
        (("unknown",), "unknown"),
    ],
)
def test_orientation_in_words(filters, words):
    assert _in_words(filters) == words


def test_two_streams_and_a_cover(tmp_path, capsys):
    ffmpeg(*SOURCE, "-frames:v", "1", tmp_path / "cover.png")
    ffmpeg(
        *SOURCE, "-f", "lavfi", "-i", "testsrc=size=640x360:rate=50:duration=1",
        "-map", "0", "-map", "1", *X264, "-pix_fmt", "yuv422p10le", "-disposition:v:0", "default",
        "-disposition:v:1", "0", "-attach", tmp_path / "cover.png",
        "-metadata:s:2", "mimetype=image/png", tmp_path / "m.mkv",
    )  # fmt: skip
    found = shown(capsys, tmp_path / "m.mkv")
    assert found["stream 0"] == "h264, 320x180, 25 per second, default (taken)"
    assert found["stream 1"] == "h264, 640x360, 50 per second (not taken)"
    assert found["stream 2"] == "png, 320x180, cover picture (not taken)"
    assert found["samples"] == "10 bits, 4:2:2 (yuv422p10le)"
    other = shown(capsys, tmp_path / "m.mkv", "--stream", 1)
    assert other["stream 1"].endswith("(taken)")
    assert (other["size"], other["frames"]) == ("640x360", "50, counted by decoding")
    assert main(["info", str(tmp_path / "m.mkv"), "--stream", "7"]) == 3
    assert "has no video stream 7: its video streams are 0, 1, 2" in capsys.readouterr().err


def test_rates_that_vary_and_rates_with_gaps(tmp_path, capsys):
    ffmpeg(
        *SOURCE, "-vf", "select='not(between(n,5,6)+eq(n,20))'", "-fps_mode", "vfr", *X264,
        "-bf", "0", tmp_path / "gap.mkv",
    )  # fmt: skip
    found = shown(capsys, tmp_path / "gap.mkv")
    assert found["rate"] == (
        "25 per second, constant with gaps: 3 pictures missing (2 before frame 5, "
        "1 before frame 18)"
    )
    assert (found["frames"], found["duration"]) == ("22, counted by decoding", "1 s")
    stretched = tmp_path / "s.mkv"
    ffmpeg(
        *SOURCE, "-vf", "settb=1/1000,setpts=N*N/(700*TB)", "-fps_mode", "passthrough",
        "-enc_time_base", "1:1000", *X264, "-bf", "0", stretched,
    )  # fmt: skip
    found = shown(capsys, stretched)["rate"]
    assert found.startswith("variable, ")
    assert found.endswith("frames follow each other after 0.001 s to 0.067 s")


def test_hdr10(tmp_path, capsys):
    params = (
        "log-level=none:hdr10=1:repeat-headers=1:max-cll=1000,400:colorprim=bt2020:"
        "transfer=smpte2084:colormatrix=bt2020nc:range=limited:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    )
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    ffmpeg(
        *SOURCE, "-vf", f"format=yuv420p10le,{tags}", "-c:v", "libx265", "-preset", "ultrafast",
        "-x265-params", params, tmp_path / "h.mkv",
    )  # fmt: skip
    found = shown(capsys, tmp_path / "h.mkv")
    assert found["range"] == "limited, tagged"
    assert found["matrix"] == "bt2020nc, tagged"
    assert found["primaries"] == "bt2020, tagged"
    assert found["transfer"] == "smpte2084 (PQ, HDR), tagged"
    assert found["mastered on"] == "P3 with white D65, 0.005 to 1000 cd/m²"
    assert found["light levels"] == "MaxCLL 1000 cd/m², MaxFALL 400 cd/m²"
    report = describe_file(tmp_path / "h.mkv")
    assert report.hdr == "PQ"
    assert report.hdr_metadata.mastering_display.green == pytest.approx((0.265, 0.69))


def test_dynamic_hdr_and_odd_side_data():
    none = HdrMetadata().with_side_data(
        [("MASTERING_DISPLAY_METADATA", b"short"), ("CONTENT_LIGHT_LEVEL", bytes(8)), ("", b"")]
    )
    assert none == HdrMetadata()
    found = none.with_side_data([("DOVI_RPU_BUFFER", b""), ("DYNAMIC_HDR_PLUS", b"")])
    assert (found.dolby_vision, found.hdr10_plus) == (True, True)


@pytest.mark.parametrize("grain", [0, 10])
def test_film_grain(tmp_path, capsys, grain):
    ffmpeg(
        *SOURCE, "-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", f"film-grain={grain}",
        tmp_path / "g.mp4",
    )  # fmt: skip
    text = "added by the decoder" if grain else "none added by the decoder"
    assert shown(capsys, tmp_path / "g.mp4")["film grain"] == text


def test_interlaced(tmp_path, capsys):
    field = ("-vf", "setfield=tff", *X264, "-flags", "+ilme+ildct")
    ffmpeg(*SOURCE, *field, tmp_path / "i.ts")
    found = shown(capsys, tmp_path / "i.ts")
    assert found["container"] == "MPEG-TS (MPEG-2 Transport Stream)"
    assert found["interlaced"] == "yes (all 25 frames)"
    assert found["first frame"].startswith("at 1.4")
    ffmpeg(*SOURCE, *X264, tmp_path / "p.ts")
    assert shown(capsys, tmp_path / "p.ts")["interlaced"] == "no (all 25 frames)"


def test_a_mix_of_fields_and_whole_frames_without_times(tmp_path, capsys):
    field = ("-vf", "setfield=tff", *X264, "-flags", "+ilme+ildct")
    ffmpeg(*SOURCE, *field, tmp_path / "i.h264")
    ffmpeg(*SOURCE, "-t", "0.2", *X264, tmp_path / "p.h264")
    parts = [(tmp_path / f"{name}.h264").read_bytes() for name in "ip"]
    (tmp_path / "m.h264").write_bytes(b"".join(parts))
    found = shown(capsys, tmp_path / "m.h264")
    assert found["interlaced"] == "25 of 30 frames (83 %)"
    assert found["rate"] == "25 per second by the header; the frames have no times"
    assert found["duration"] == "1.2 s"
    assert "first frame" not in found


def test_long_files_are_looked_at_in_places(tmp_path, capsys):
    file = tmp_path / "long.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=20", *X264, "-g", "10000", file
    )
    found = shown(capsys, file)
    assert found["frames"] == "500, counted by packets"
    assert found["interlaced"] == "no (120 frames looked at)"


def test_rgb_and_alpha(tmp_path, capsys):
    ffmpeg(*SOURCE, "-pix_fmt", "bgra", "-c:v", "ffv1", "-frames:v", "2", tmp_path / "a.mkv")
    found = shown(capsys, tmp_path / "a.mkv")
    assert found["samples"] == "RGB (bgra), scored as Y'CbCr of 8 bits; transparency is left out"
    assert found["matrix"] == "rgb, tagged"
    assert found["range"].startswith("full")


def test_json_holds_the_same_and_comes_back(tmp_path, capsys):
    write_y4m(tmp_path / "a.y4m", frames(30), facts())
    ffmpeg(*SOURCE, *X264, tmp_path / "p.mp4")
    files = [tmp_path / "a.y4m", tmp_path / "none.mkv", tmp_path / "p.mp4"]
    assert main(["info", "--json", *map(str, files)]) == 3
    out, err = capsys.readouterr()
    assert err == f"jaxvqa: error: {files[1]}: there is no such file: check the path.\n"
    found = json.loads(out)
    assert found[0] == describe_file(files[0]).to_dict()
    assert found[1] == {
        "path": str(files[1]),
        "error": "there is no such file: check the path.",
    }
    assert found[2] == describe_file(files[2]).to_dict()
    assert found[0]["pacing"]["rate"] == "30000/1001"
    assert found[0]["pacing"]["duration"] == pytest.approx(1.001)
    assert found[2]["matrix"] == {"value": None, "source": "assumed"}
    assert found[2]["streams"][0]["taken"] is True


def test_unreadable_files_do_not_hide_the_others(tmp_path, capsys):
    write_y4m(tmp_path / "a.y4m", frames(1), facts())
    (tmp_path / "text.txt").write_text("no video")
    names = [str(tmp_path / name) for name in ("none.mkv", "a.y4m", "text.txt", "a.y4m")]
    assert main(["info", *names]) == 3
    out, err = capsys.readouterr()
    assert out.count("container") == 2
    assert out.count("\n\n") == 1
    assert err.count("jaxvqa: error: ") == err.count("\n") == 2


def test_files_with_headers_of_their_own_need_no_pyav(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    write_y4m(tmp_path / "a.y4m", frames(2), facts())
    assert dict(facts_of(describe_file(tmp_path / "a.y4m")))["frames"] == "2, counted by file size"
    (tmp_path / "a.mkv").write_bytes(b"1")
    with pytest.raises(VideoError, match="needs PyAV"):
        describe_file(tmp_path / "a.mkv")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_text_fits_a_terminal(tmp_path, capsys, monkeypatch, columns):
    write_y4m(tmp_path / "a.y4m", frames(2), facts())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["info", "a.y4m"]) == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, plain.splitlines())) <= columns
