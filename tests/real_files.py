"""Small files of the kinds people really have, each made by FFmpeg when a test first asks for it.

A recipe is the command line between `ffmpeg` and the output; `@name` stands for another recipe's
file. Film files hold the same 12 frames of 192x128 unless their recipe says otherwise.
"""

import json
import shlex
import subprocess
import zlib
from pathlib import Path

import pytest

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

FRAMES = 12
SOURCE = (
    "testsrc2=s=192x128:r=25[a];mandelbrot=s=192x128:r=25:start_scale=0.6:end_scale=0.1:end_pts=40"
    "[b];[a][b]blend=all_mode=average,format=yuv420p,noise=alls=10:all_seed=7"
)
LOW = "-c:v libx264 -preset veryfast -crf 34"
HIGH = "-c:v libx264 -preset veryfast -crf 6 -bf 2"
RAW = "-c:v rawvideo"
X265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none"
RGB_OF_LIMITED = "scale=in_range=tv:in_color_matrix=bt601"
TO_LIMITED = "scale=out_color_matrix=bt601:out_range=tv"
KEPT = "select='not(eq(n,3)+eq(n,7))'"
LOST = "select='not(eq(n,5))'"
EVEN = "select='not(mod(n,2))'"
# `mkv` flags the first track as default where none is, unless told not to
NO_DEFAULT = "-default_mode passthrough -disposition:v 0"

RECIPES = {
    "src.y4m": f"-f lavfi -i '{SOURCE}' -frames:v 12",
    "long.y4m": f"-f lavfi -i '{SOURCE}' -frames:v 24",
    "ref.mp4": f"-i @src.y4m {HIGH}",
    "dis.mp4": f"-i @src.y4m {LOW}",
    "dis.y4m": "-i @dis.mp4",
    "long.mp4": f"-i @long.y4m {HIGH}",
    "other.mp4": f"-i @src.y4m -vf negate {HIGH}",
    "small.mp4": f"-i @src.y4m -vf scale=96:64:flags=bicubic {HIGH}",
    # turned or mirrored by a display matrix, and what a transcode makes of it
    **{
        f"rot{a}.{s}": f"-display_rotation {a} -i @ref.mp4 -c copy"
        for a in (90, 180, 270)
        for s in ("mp4", "mov", "mkv")
    },
    "hflip.mp4": "-display_hflip -i @ref.mp4 -c copy",
    "vflip.mp4": "-display_vflip -i @ref.mp4 -c copy",
    "rot90_hflip.mp4": "-display_rotation 90 -display_hflip -i @ref.mp4 -c copy",
    "rot270_hflip.mp4": "-display_rotation 270 -display_hflip -i @ref.mp4 -c copy",
    **{
        f"shown_{n}.mp4": f"-i @{n}.mp4 {LOW}"
        for n in ("rot90", "rot180", "rot270", "hflip", "vflip", "rot90_hflip", "rot270_hflip")
    },
    # more than one video stream
    "cover.png": "-i @other.mp4 -frames:v 1 -vf scale=320:320 -update 1",
    "cover.jpg": "-i @other.mp4 -frames:v 1 -vf scale=320:320 -update 1",
    "cover_first.mkv": "-i @cover.png -i @ref.mp4 -map 0 -map 1 -c copy",
    "cover_attached.mkv": "-i @ref.mp4 -c copy -attach @cover.jpg"
    " -metadata:s:t mimetype=image/jpeg",
    "cover_jpg_first.mov": "-i @cover.jpg -i @ref.mp4 -map 0 -map 1 -c copy",
    "cover_attached.mp4": "-i @ref.mp4 -i @cover.png -map 0 -map 1 -c copy"
    " -disposition:v:1 attached_pic",
    "second_default.mkv": "-i @other.mp4 -i @ref.mp4 -map 0 -map 1 -c copy -disposition:v:0 0"
    " -disposition:v:1 default",
    "most_pixels.mkv": f"-i @small.mp4 -i @ref.mp4 -map 0 -map 1 -c copy {NO_DEFAULT}",
    "two_alike.mkv": f"-i @ref.mp4 -i @other.mp4 -map 0 -map 1 -c copy {NO_DEFAULT}",
    # range and matrix
    "full.avi": "-i @src.y4m -vf scale=out_range=pc,format=yuvj420p -c:v mjpeg -q:v 2",
    "untagged.avi": "-i @src.y4m -c:v mpeg4 -q:v 12",
    "full.mp4": f"-i @src.y4m -vf scale=out_range=pc {HIGH}",
    "tv.mp4": f"-i @src.y4m -vf setparams=range=tv {LOW}",
    "bt601.mp4": f"-i @src.y4m -vf setparams=colorspace=smpte170m:range=tv {HIGH}",
    "bt709.mp4": "-i @src.y4m -vf scale=in_color_matrix=bt601:out_color_matrix=bt709:"
    f"in_range=tv:out_range=tv,format=yuv420p {LOW}",
    # pixel formats
    "gbrp.mkv": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=gbrp -c:v ffv1",
    "x264rgb.mkv": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=bgr24 -c:v libx264rgb -qp 0",
    "bgr24.avi": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=bgr24 {RAW}",
    "of_rgb.mp4": f"-i @gbrp.mkv -vf {TO_LIMITED},format=yuv420p {LOW}",
    "of_rgb_709.mp4": "-i @gbrp.mkv -vf scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    f" {LOW}",
    "rgb24.mov": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=rgb24 -c:v png",
    "rgba.mov": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=rgba,colorchannelmixer=aa=0.5 -c:v png",
    "anim.gif": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=gbrp,split[a][b];[a]palettegen[p];"
    "[b][p]paletteuse=dither=none",
    "anim.png": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=rgb24 -c:v apng -f apng -plays 1",
    "pal8.mov": "-i @anim.gif -c:v png -pix_fmt pal8",
    "of_gif.mp4": f"-i @anim.gif -vf {TO_LIMITED},format=yuv420p {LOW}",
    "alpha.mkv": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=rgba,colorchannelmixer=aa=0.5,"
    f"{TO_LIMITED},format=yuva420p -c:v ffv1",
    "of_alpha.mp4": f"-i @alpha.mkv -vf format=yuv420p {LOW}",
    "uyvy.mov": f"-i @src.y4m -vf format=uyvy422 {RAW}",
    "uyvy.avi": f"-i @src.y4m -vf format=uyvy422 {RAW}",
    "yuyv.avi": f"-i @src.y4m -vf format=yuyv422 {RAW}",
    **{f"yuv{c}.mkv": f"-i @src.y4m -vf format=yuv{c}p -c:v ffv1" for c in (411, 440, 444, 422)},
    "gray.mkv": "-i @src.y4m -vf extractplanes=y,setparams=range=tv -c:v ffv1",
    "gray_full.mkv": "-i @full.mp4 -vf extractplanes=y,setparams=range=pc -c:v ffv1",
    "gray_half.mkv": "-i @half.mp4 -vf extractplanes=y -c:v ffv1",
    "ten.mkv": f"-i @src.y4m -vf format=yuv420p10le {X265} -crf 34",
    "ten_444.mkv": f"-i @src.y4m -vf format=yuv444p10le {X265} -crf 34",
    "full_ten.mkv": f"-i @full.mp4 -vf scale=out_range=pc,format=yuv420p10le {X265} -crf 30",
    # sizes and shapes of pixels
    "half.mp4": f"-i @src.y4m -vf scale=96:64:flags=bicubic {LOW}",
    "twice.mp4": f"-i @src.y4m -vf scale=384:256:flags=bicubic {LOW}",
    "odd.mkv": "-i @src.y4m -vf scale=135:97:flags=bicubic,format=yuv444p -c:v mpeg4"
    " -pix_fmt yuv420p -q:v 8",
    "stretched.mp4": f"-i @src.y4m -vf scale=128:192:flags=bicubic,setsar=1 {LOW}",
    "anamorphic.mp4": f"-i @src.y4m -vf scale=128:192:flags=bicubic,setsar=9/4 {LOW}",
    "bars.mp4": f"-i @src.y4m -vf crop=192:96,pad=192:128:0:16 {HIGH}",
    "bars_low.mp4": "-i @bars.mp4 -c:v libx264 -preset veryfast -crf 26",
    # rates and lost frames
    "vfr.mp4": f'-i @long.y4m -vf "{KEPT}" -frames:v 12 -fps_mode vfr {HIGH}',
    "of_vfr.mp4": f"-i @vfr.mp4 -fps_mode passthrough {LOW}",
    "of_vfr.mkv": "-i @of_vfr.mp4 -c copy",
    "cfr_of_vfr.mp4": f"-i @vfr.mp4 -vf fps=25 {LOW}",
    "film60.mp4": f"-r 60 -i @long.y4m {HIGH}",
    "film30.mp4": f'-r 60 -i @long.y4m -vf "{EVEN}" -r 30 {LOW}',
    "film30.mkv": "-i @film30.mp4 -c copy",
    "film60.mkv": "-i @film60.mp4 -c copy",
    "lost.mp4": f'-i @long.y4m -vf "{LOST}" -frames:v 12 -fps_mode vfr {LOW}',
    "from_two.mp4": f"-ss 0.08 -i @long.y4m -frames:v 12 {LOW}",
    "first_13.mp4": f"-i @long.y4m -frames:v 13 {HIGH}",
    "first_14.mp4": f"-i @long.y4m -frames:v 14 {HIGH}",
    # containers and starts
    "edited.mp4": "-ss 0.3 -i @long.mp4 -c copy -t 0.4",
    "of_edited.mp4": f"-i @edited.mp4 {LOW}",
    "late.mkv": "-i @ref.mp4 -c copy -output_ts_offset 3.217",
    "late.ts": "-i @ref.mp4 -c copy -output_ts_offset 100",
    "late.mp4": "-i @ref.mp4 -c copy -output_ts_offset 1.5",
    "dis.ts": "-i @dis.mp4 -c copy",
    "dis.flv": "-i @dis.mp4 -c copy",
    "dis.mkv": "-i @dis.mp4 -c copy",
    "dis.h264": "-i @dis.mp4 -c copy",
    "frag.mp4": "-i @dis.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof",
    "dis.webm": "-i @src.y4m -c:v libvpx-vp9 -crf 50 -b:v 0 -cpu-used 8 -deadline realtime",
    "grain.mkv": "-i @src.y4m -c:v libsvtav1 -preset 12 -crf 40 -svtav1-params film-grain=30",
    "anim.avif": "-i @src.y4m -c:v libaom-av1 -cpu-used 8 -crf 40",
    "still.avif": "-i @src.y4m -frames:v 1 -c:v libaom-av1 -cpu-used 8 -crf 40 -still-picture 1",
    "still.png": "-i @src.y4m -frames:v 1 -update 1",
    "list/frame_%03d.png": f"-i @src.y4m -vf {RGB_OF_LIMITED},format=rgb24",
    "hls/dis.m3u8": f"-i @src.y4m {LOW} -g 6 -hls_time 0.2 -hls_playlist_type vod",
    "dash/dis.mpd": f"-i @src.y4m {LOW} -g 6 -seg_duration 0.2",
    # fields
    "fields.mp4": f"-i @long.y4m -vf interlace=scan=tff:lowpass=off {HIGH} -flags +ildct+ilme"
    " -x264-params tff=1",
    "fields_low.mp4": f"-i @fields.mp4 {LOW} -flags +ildct+ilme -x264-params tff=1",
    "whole_low.mp4": f"-i @fields.mp4 -vf yadif {LOW}",
    **{
        f"part{i}_{q}.h264": f"-i @{'src.y4m' if i == 1 else 'fields.mp4'} -frames:v 6 {c}"
        + (" -flags +ildct+ilme -x264-params tff=1" if i == 2 else "")
        for i in (1, 2)
        for q, c in (("high", HIGH), ("low", LOW))
    },
    "fields_mjpeg.mov": "-i @fields.mp4 -c:v mjpeg -q:v 2 -field_order tt -color_range tv"
    " -strict unofficial",
    "film.mpg": "-i @src.y4m -c:v mpeg2video -q:v 2 -flags +ildct -alternate_scan 0",
    # damage
    "gops.ts": "-i @long.mp4 -c:v libx264 -preset veryfast -crf 12 -g 6 -bf 2 -x264-params "
    "open-gop=1:scenecut=0:keyint=6",
    "gops_low.ts": "-i @long.mp4 -c:v libx264 -preset veryfast -crf 30 -g 6 -bf 2",
}


def run(*arguments) -> str:
    """Runs FFmpeg and gives what it says."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-threads", "1"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(map(str, arguments))}: {done.stderr}"
    return done.stderr


class Studio:
    """Files by the names of their recipes, in one folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.recipes = dict(RECIPES)
        self.special = {
            "mixed.h264": lambda: self._join("part1_high.h264", "part2_high.h264"),
            "mixed_low.h264": lambda: self._join("part1_low.h264", "part2_low.h264"),
            "telecine.mpg": lambda: repeat_fields(self.file("film.mpg").read_bytes()),
            "mid_gop.ts": lambda: self.file("gops.ts").read_bytes()[188 * 40 :],
            "packet_lost.ts": lambda: without_packet(self.file("gops_low.ts").read_bytes()),
            "turned.jpg": lambda: turned(self.file("cover.jpg").read_bytes()),
        }

    def file(self, name: str) -> Path:
        path = self.folder / name
        made = self.folder / name.replace("%03d", "001")
        if not made.exists():
            path.parent.mkdir(exist_ok=True)
            if name in self.special:
                path.write_bytes(self.special[name]())
            else:
                # the same bytes on every run: no dates, no random ids
                run(*self._words(self.recipes[name]), "-fflags", "+bitexact", path)
        return path

    def luma(self, name: str, chain: str = "", before: str = "") -> Path:
        """A file's frames, one by one whatever their times, as y4m with flat chroma.

        Args:
            name: of a recipe.
            chain: filters, or the index of a stream, or both: "1,hflip".
            before: options for reading the file.
        """
        path = self.folder / f"luma_{zlib.crc32(repr((name, chain, before)).encode())}.y4m"
        if not path.exists():
            first, _, rest = chain.partition(",")
            stream, steps = (first, rest) if first.isdigit() else ("v:0", chain)
            steps = ",".join(filter(None, (steps, "extractplanes=y")))
            read = [*shlex.split(before), "-i", self.file(name), "-map", f"0:{stream}"]
            wrote = ["-fps_mode", "passthrough", "-strict", "-1", "-f", "yuv4mpegpipe", path]
            run(*read, "-vf", steps, *wrote)
            path.write_bytes(with_flat_chroma(path.read_bytes()))
        return path

    def _words(self, recipe: str) -> list[str]:
        words = shlex.split(recipe)
        return [str(self.file(w[1:])) if w.startswith("@") else w for w in words]

    def _join(self, *names: str) -> bytes:
        return b"".join(self.file(name).read_bytes() for name in names)


def with_flat_chroma(mono: bytes) -> bytes:
    """A y4m clip without chroma as one with, at 25 frames per second.

    FFmpeg's libvmaf takes no monochrome video: it would be converted on the way.
    """
    header, _, rest = mono.partition(b"\n")
    facts = {word[:1]: word[1:].decode() for word in header.split()[1:]}
    deep = facts[b"C"] != "mono"
    size = int(facts[b"W"]) * int(facts[b"H"]) * (2 if deep else 1)
    chroma = facts[b"C"].replace("mono", "444p" if deep else "444")
    made = [f"YUV4MPEG2 W{facts[b'W']} H{facts[b'H']} F25:1 Ip A1:1 C{chroma}\n".encode()]
    step = len(b"FRAME\n") + size
    for place in range(0, len(rest), step):
        frame = rest[place : place + step]
        made += [frame, bytes(2 * size)]
    return b"".join(made)


def truth(
    studio: Studio, ref, dis, chains=("", ""), before=("", ""), model="vmaf_v0.6.1", feature=None
):
    """Per-frame scores that FFmpeg and libvmaf give, frame by frame, whatever the times.

    Args:
        studio: has the files.
        ref: the reference.
        dis: the distorted video.
        chains: filters that make the two comparable, reference first; see `Studio.luma`.
        before: options of FFmpeg for reading the two.
        model: version of the model.
        feature: its output for luma instead of the score, as `psnr`.
    """
    log = studio.folder / "truth.json"
    read = [
        word
        for name, chain, options in reversed(list(zip((ref, dis), chains, before, strict=True)))
        for word in ("-i", studio.luma(name, chain, options))
    ]
    options = f"model=version={model}:log_fmt=json:log_path={log}:shortest=1:n_threads=1"
    options += f":feature=name={feature}" if feature else ""
    run(*read, "-lavfi", f"[0:v][1:v]libvmaf={options}", "-f", "null", "-")
    name = f"{feature}_y" if feature else "vmaf"
    return [frame["metrics"][name] for frame in json.loads(log.read_text())["frames"]]


def repeat_fields(data: bytes) -> bytes:
    """MPEG-2 video whose every second picture says that its first field is shown twice."""
    made, place, count = bytearray(data), 0, 0
    while (place := made.find(b"\0\0\1\xb5", place)) >= 0:
        place += 4
        if made[place] >> 4 == 8:  # picture coding extension
            made[place + 3] |= 0x80 | (0x02 if count % 2 else 0)  # top field first, repeat
            made[place + 4] |= 0x80  # progressive frame
            count += 1
    return bytes(made)


def without_packet(data: bytes) -> bytes:
    """A transport stream without one of its packets of video, in its later half."""
    packets = [data[i : i + 188] for i in range(0, len(data), 188)]
    video = [i for i, p in enumerate(packets) if p[1] & 0x5F == 0x01 and p[2] == 0x00]
    del packets[video[len(video) * 2 // 3]]
    return b"".join(packets)


def turned(jpeg: bytes) -> bytes:
    """A JPEG whose Exif data says that it is to be turned by 90 degrees."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\0\0MM\0*\x00\x00\x00\x08\x00\x01" + entry + b"\0\0\0\0"
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
