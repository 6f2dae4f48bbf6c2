"""The table of kinds of pairs: two files, and what FFmpeg has to do so that they are comparable.

Recipes of the files stand in `real_files.py`.
"""

from dataclasses import dataclass, field

from tests import tolerances
from tests.real_files import EVEN, FRAMES, KEPT, LOST

# what each notice is called; a kind says by the left names which it expects, and no others
CODES = {
    "scaled": "scaled",
    "shape": "shape",
    "depth": "depth",
    "range": "range",
    "matrix": "matrix",
    "rgb": "rgb",
    "alpha": "alpha",
    "streams": "streams",
    "crop": "cropped",
    "deinterlaced": "deinterlaced",
    "interlaced": "interlaced",
    "pairing": "pairing",
    "dropped": "dropped-frames",
    "damage": "damage",
}
EIGHT = "format=yuv420p"
COLOUR, PLAIN = tolerances.REAL_CONVERTED, tolerances.REAL_PLAIN


@dataclass(frozen=True)
class Way:
    """One direction of a pair.

    Args:
        chains: of reference and distorted video, for `real_files.truth`.
        says: notices by their names in `CODES`, separated by spaces.
        options: for `jaxvqa.score`.
        pairs: how many frames are scored.
    """

    chains: tuple[str, str] = ("", "")
    says: str = ""
    options: dict = field(default_factory=dict)
    pairs: int = FRAMES


@dataclass(frozen=True)
class Kind:
    """A pair of files, compared in both directions.

    Args:
        ref: recipe of the reference.
        dis: recipe of the distorted video.
        straight: the distorted against the reference.
        swapped: the other way round; None: as straight, with the two sides' filters exchanged.
        tolerance: VMAF points.
        before: options for FFmpeg's reading of the two files.
    """

    ref: str
    dis: str = "dis.mp4"
    straight: Way = Way()
    swapped: Way | None = None
    tolerance: float = PLAIN
    before: tuple[str, str] = ("", "")

    def way(self, swapped: bool) -> Way:
        if not swapped or self.swapped is not None:
            return self.swapped if swapped else self.straight
        plain = self.straight
        return Way(plain.chains[::-1], plain.says, plain.options)


def told(says, *chains, **options):
    return Way(chains or ("", ""), says, options)


def both(chain, says="", **options):
    return Way((chain, chain), says, options)


def scaled(there, back, says="scaled", **options):
    """Straight and swapped: the distorted takes the reference's size."""
    ways = [
        Way(("", f"scale={size}:flags=bicubic,{EIGHT}"), says, options) for size in (there, back)
    ]
    return {"straight": ways[0], "swapped": ways[1]}


def to_matrix(there, back):
    """Straight and swapped: the distorted is converted to the reference's matrix."""
    ways = [Way(("", MATRIX.format(*way)), "matrix") for way in (there, back)]
    return {"straight": ways[0], "swapped": ways[1], "tolerance": COLOUR}


# of two ranges the limited one is measured: models were made on it
LIMITED = f"scale=in_range=pc:out_range=tv:flags=bicubic,{EIGHT}"
MATRIX = (
    "scale=in_color_matrix={}:out_color_matrix={}:in_range=tv:out_range=tv:flags=bicubic,"
    f"{EIGHT}"
)
RGB601 = "scale=out_color_matrix=bt601:out_range=tv:flags=bicubic,format=yuv444p"
RGB709 = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic,format=yuv444p"
GRAY_LIMITED = f"setparams=range=pc,{EIGHT},{LIMITED}"
TEN = "format=yuv420p10le"
TEN_FULL = "scale=in_range=pc:out_range=pc,format=yuv420p10le"
FIELDS = "yadif=mode=send_frame:deint=interlaced"
TWELVE = "trim=end_frame=12"
BARS = "crop=192:96:0:16"

ORIENTATION = {
    **{
        f"orientation_{n}": Kind(f"{n}.mp4", f"shown_{n}.mp4")
        for n in ("rot90", "rot180", "rot270", "hflip", "vflip", "rot90_hflip", "rot270_hflip")
    },
    "rotated_mov_against_mkv": Kind("rot270.mov", "rot270.mkv"),
    "both_rotated": Kind("rot90.mov", "shown_rot90.mp4"),
    "rotated_against_unlike": Kind("rot180.mkv", "dis.mp4"),
}

STREAMS = {
    "cover_first": Kind("cover_first.mkv", straight=told("", "1", "")),
    "cover_jpg_first": Kind("cover_jpg_first.mov", straight=told("", "1", "")),
    "cover_attached_mp4": Kind("cover_attached.mp4", straight=told("", "0", "")),
    "cover_attached_mkv": Kind("cover_attached.mkv", straight=told("", "0", "")),
    "default_second": Kind("second_default.mkv", straight=told("streams", "1", "")),
    "most_pixels": Kind("most_pixels.mkv", straight=told("streams", "1", "")),
    "first_of_equals": Kind("two_alike.mkv", straight=told("streams", "0", "")),
    "asked_for": Kind(
        "two_alike.mkv",
        straight=told("", "1", "", ref_stream=1),
        swapped=told("", "", "1", dis_stream=1),
    ),
}

COLOURS = {
    "full_avi_untagged": Kind(
        "full.avi", "untagged.avi", told("range", LIMITED, ""), tolerance=COLOUR
    ),
    "full_mp4_limited": Kind("full.mp4", "tv.mp4", told("range", LIMITED, ""), tolerance=COLOUR),
    "full_as_is": Kind("full.mp4", "tv.mp4", told("range", color="as-is")),
    "bt601_bt709": Kind(
        "bt601.mp4", "bt709.mp4", **to_matrix(("bt709", "bt601"), ("bt601", "bt709"))
    ),
    "matrix_as_is": Kind("bt601.mp4", "bt709.mp4", told("", color="as-is")),
    **{
        f"rgb_{name.replace('.', '_')}": Kind(
            name, "of_rgb.mp4", told("rgb", RGB601, ""), tolerance=COLOUR
        )
        for name in ("gbrp.mkv", "x264rgb.mkv", "bgr24.avi", "rgb24.mov", "anim.png")
    },
    "rgb_tagged_709": Kind(
        "rgb24.mov", "of_rgb_709.mp4", told("rgb", RGB709, ""), tolerance=COLOUR
    ),
    "rgb_both": Kind("rgb24.mov", "pal8.mov", both(RGB601, "rgb"), tolerance=COLOUR),
    "gif": Kind("anim.gif", "of_gif.mp4", told("rgb alpha", RGB601, ""), tolerance=COLOUR),
    "palette": Kind("pal8.mov", "of_gif.mp4", told("rgb", RGB601, ""), tolerance=COLOUR),
    "alpha": Kind("alpha.mkv", "of_alpha.mp4", told("alpha")),
    "alpha_rgb": Kind("rgba.mov", "of_rgb.mp4", told("rgb alpha", RGB601, ""), tolerance=COLOUR),
    "gray": Kind("gray.mkv"),
    "gray_full": Kind("ref.mp4", "gray_full.mkv", told("range", "", GRAY_LIMITED)),
    "gray_half": Kind(
        "ref.mp4",
        "gray_half.mkv",
        told("scaled", "", "scale=192:128:flags=bicubic,format=gray"),
        told("scaled", "", f"scale=96:64:flags=bicubic,{EIGHT}"),
    ),
}

FORMATS = {
    **{
        f"packed_{name.replace('.', '_')}": Kind(name)
        for name in ("uyvy.mov", "uyvy.avi", "yuyv.avi")
    },
    **{f"chroma_{c}": Kind(f"yuv{c}.mkv") for c in (411, 440, 444, 422)},
    "depth": Kind("ref.mp4", "ten.mkv", told("depth", TEN, "")),
    "depth_chroma": Kind("ref.mp4", "ten_444.mkv", told("depth", TEN, "")),
    "depth_full": Kind("full.mp4", "full_ten.mkv", told("depth", TEN_FULL, "")),
    "half": Kind("ref.mp4", "half.mp4", **scaled("192:128", "96:64")),
    "twice": Kind("ref.mp4", "twice.mp4", **scaled("192:128", "384:256")),
    "odd": Kind("ref.mp4", "odd.mkv", **scaled("192:128", "135:97")),
    "anamorphic": Kind("ref.mp4", "anamorphic.mp4", **scaled("192:128", "128:192")),
    "stretched": Kind("ref.mp4", "stretched.mp4", **scaled("192:128", "128:192", "scaled shape")),
    "scale_reference": Kind(
        "half.mp4",
        "ref.mp4",
        told("scaled", f"scale=192:128:flags=bicubic,{EIGHT}", "", scale="reference"),
        told("scaled", f"scale=96:64:flags=bicubic,{EIGHT}", "", scale="reference"),
    ),
    "crop": Kind("bars.mp4", "bars_low.mp4", both(BARS, crop="192x96+0+16")),
    "crop_auto": Kind("bars.mp4", "bars_low.mp4", both(BARS, "crop", crop="auto")),
}

TIMES = {
    "vfr_kept": Kind("vfr.mp4", "of_vfr.mp4", Way()),
    "vfr_kept_mkv": Kind("vfr.mp4", "of_vfr.mkv", Way()),
    "vfr_cfr": Kind(
        "vfr.mp4",
        "cfr_of_vfr.mp4",
        told("pairing", f"fps=25,{TWELVE}", TWELVE, frame_count=12),
        told("dropped", KEPT, "", pair="time"),
    ),
    **{
        f"rates_60_30_{s}": Kind(
            f"film60.{s}",
            f"film30.{s}",
            told("dropped", EVEN, "", pair="time"),
            told("pairing", f"fps=60,{TWELVE}", TWELVE, pair="time", frame_count=12),
        )
        for s in ("mp4", "mkv")
    },
    "lost_frame": Kind(
        "first_13.mp4",
        "lost.mp4",
        told("dropped", LOST, "", pair="time"),
        told("pairing", f"fps=25,{TWELVE}", TWELVE, pair="time", frame_count=12),
    ),
    # as many frames at other times: pictures say that these are right, and not the order
    "drop_and_one_more": Kind(
        "ref.mp4",
        "lost.mp4",
        Way((LOST, "trim=end_frame=11"), "pairing dropped", pairs=11),
        told("", pair="index"),
    ),
    "delayed": Kind(
        "first_14.mp4",
        "from_two.mp4",
        told("dropped", "select='gte(n,2)'", "", offset=2),
        told("dropped", "", "select='gte(n,2)'", offset=-2),
    ),
    "edit_list": Kind("edited.mp4", "of_edited.mp4"),
    **{f"start_{s}": Kind(f"late.{s}", "dis.mkv") for s in ("mkv", "ts", "mp4")},
    **{
        f"container_{name.replace('.', '_')}": Kind("ref.mp4", name)
        for name in ("dis.ts", "dis.flv", "dis.mkv", "dis.h264", "frag.mp4", "dis.webm")
    },
    "y4m": Kind("src.y4m", "dis.y4m"),
    "image_sequence": Kind(
        "list/frame_%03d.png", straight=told("rgb", RGB601, ""), tolerance=COLOUR
    ),
    "avif": Kind("ref.mp4", "anim.avif", told("", "", "1")),
    "hls": Kind("ref.mp4", "hls/dis.m3u8"),
}

OTHERS = {
    "grain": Kind("ref.mp4", "grain.mkv"),
    "grain_off": Kind(
        "ref.mp4",
        "grain.mkv",
        told("", film_grain="off"),
        before=("", "-export_side_data film_grain"),
    ),
    "fields": Kind("fields.mp4", "fields_low.mp4", told("interlaced")),
    "fields_yadif": Kind(
        "fields.mp4",
        "fields_low.mp4",
        both(FIELDS, "deinterlaced", deinterlace="yadif"),
    ),
    # frames that do not say that they are interlaced, as the container does
    "fields_container": Kind("fields_mjpeg.mov", "fields_low.mp4", told("interlaced")),
    "fields_container_yadif": Kind(
        "fields_mjpeg.mov",
        "fields_low.mp4",
        Way(
            (f"setfield=tff,{FIELDS}", FIELDS),
            "deinterlaced",
            {"deinterlace": "yadif"},
        ),
    ),
    "fields_none": Kind("fields.mp4", "whole_low.mp4", told("interlaced", deinterlace="none")),
    "mixed": Kind("mixed.h264", "mixed_low.h264", told("interlaced")),
    "telecine": Kind("telecine.mpg", "dis.ts", told("")),
}

KINDS = {**ORIENTATION, **STREAMS, **COLOURS, **FORMATS, **TIMES, **OTHERS}
