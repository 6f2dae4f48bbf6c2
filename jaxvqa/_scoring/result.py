"""What a scoring run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jaxvqa._notice import Notice
from jaxvqa._pooling import PooledScores
from jaxvqa.video._inputs import InputOptions
from jaxvqa.video._pair.report import PairingReport


@dataclass(frozen=True)
class ClipInfo:
    """Facts about the clip that was scored.

    Args:
        width: columns that were scored.
        height: rows that were scored.
        bit_depth: bits per sample that were scored.
        chroma: "400", "420", "422" or "444".
        fps: frames per second, or None.
        ref_path: the reference; None for arrays.
        dis_path: the distorted video; None for arrays.
        encoded: columns, rows and bit depth of the distorted video in its file, where it was
            converted to be scored.
    """

    width: int
    height: int
    bit_depth: int
    chroma: str
    fps: float | None = None
    ref_path: str | None = None
    dis_path: str | None = None
    encoded: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class FileFacts:
    """What a file holds, as far as it was read.

    Args:
        width: columns of the picture as shown.
        height: rows of the picture as shown.
        duration: seconds that all its frames last, or None.
        coded_bytes: bytes of all packets of the stream, or None for a file without packets.
    """

    width: int
    height: int
    duration: float | None
    coded_bytes: int | None


@dataclass(frozen=True)
class Preparation:
    """What was done to two files, or to arrays with times, before their frames were compared.

    Args:
        ref_filters: filters that the reference's frames passed, in FFmpeg's notation; may be empty.
        dis_filters: the same of the distorted video.
        pairing: which frames were compared.
        ref: the reference's file.
        dis: the distorted video's file.
    """

    ref_filters: str
    dis_filters: str
    pairing: PairingReport
    ref: FileFacts | None = None
    dis: FileFacts | None = None

    @property
    def is_plain(self) -> bool:
        """Frames were compared as they are in the files, all of both, in their order."""
        pairing = self.pairing
        whole = not (pairing.unpaired_ref.total or pairing.unpaired_dis.total)
        return not (self.ref_filters or self.dis_filters) and pairing.strategy == "index" and whole


@dataclass(frozen=True)
class Timing:
    """Where the time went, in seconds.

    Args:
        total: from opening the files to the last score, compilation included.
        waiting: time that scoring waited for decoded frames.
        fps: frames scored per second of `total`.
    """

    total: float
    waiting: float
    fps: float


@dataclass(frozen=True)
class Requested:
    """One model or feature of a request, and what it gave.

    Args:
        text: the model's name, or the feature as it was asked for.
        kind: "model" or "feature".
        outputs: keys of `Result.frames`.
    """

    text: str
    kind: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Result(PooledScores):
    """Scores of one clip.

    Args:
        frames: per-frame values under libvmaf's printed names, option suffixes included; the score
            of a single model stands under "vmaf", several models each under their own name.
        frame_numbers: `(frames,)`, the index in the clip of every scored frame.
        score_names: names of the models' scores, first model first; empty without a model.
        models: names of the models in the same order.
        clip: size and format of the clip.
        notices: what the user should know: substitutions, dropped frames, undefined values.
        timing: where the time went.
        requested: which output belongs to which model or feature of the request.
        aggregate: numbers of the whole clip that are no pooled series.
        preparation: conversions and pairing of files; None for arrays.
        inputs: how the videos were read.
    """

    frames: dict[str, np.ndarray]
    frame_numbers: np.ndarray
    score_names: tuple[str, ...]
    models: tuple[str, ...]
    clip: ClipInfo
    notices: tuple[Notice, ...]
    timing: Timing
    requested: tuple[Requested, ...] = ()
    aggregate: dict[str, float] = field(default_factory=dict)
    preparation: Preparation | None = None
    inputs: InputOptions = field(default_factory=InputOptions)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notices as sentences."""
        return tuple(str(n) for n in self.notices)
