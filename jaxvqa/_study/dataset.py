"""Studies from data set files of libvmaf, sureal and funque_plus."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, NoReturn

from jaxvqa._study.dataset_file import read_assignments
from jaxvqa._study.manifest import RATINGS, text_of
from jaxvqa._study.study import Clip, Study, interval_of, vote_table
from jaxvqa._tables import TableError

# libvmaf's processing that has no equal here, so that numbers would differ silently
_UNKNOWN = (
    "crop_cmd", "pad_cmd", "fps_cmd", "rebuf_indices",
    "duration_sec", "start_frame", "end_frame", "dis_start_frame", "dis_end_frame",
    "ref_start_frame", "ref_end_frame",
)  # fmt: skip


def read_dataset(path: str | os.PathLike[str], rating: str | None = None) -> Study:
    """A study from a data set file; the file is read as data and never run.

    Args:
        path: a `.py` file with `ref_videos` and `dis_videos`, lists of dicts as libvmaf and sureal
            have them, or dicts of dicts as funque_plus has them.
        rating: the key of the ratings; None takes the first of `RATINGS` that a clip has.

    Raises:
        TableError: what is no such file, in one sentence.
    """
    return _Reader(os.fspath(path), rating).study()


class _Reader:
    def __init__(self, name: str, rating: str | None) -> None:
        self._name, self._rating = name, rating
        self._values = read_assignments(name)
        self._folder = os.path.dirname(name)
        self._titled = False
        self._voters: int | None = None  # length of the lists of votes, whose order names subjects

    def _fail(self, problem: str) -> NoReturn:
        raise TableError(f"{self._name}: {problem}")

    def study(self) -> Study:
        refs = {text_of(ref.get("content_id")): ref for ref in self._videos("ref_videos")}
        titles = [ref.get("content_name") for ref in refs.values()]
        self._titled = all(titles) and len(set(map(str, titles))) == len(titles)
        clips, votes, ratings, named = [], {}, set(), set()
        for i, video in enumerate(self._videos("dis_videos")):
            name = text_of(video.get("asset_id", i))
            if name in named:
                self._fail(f"two clips have the asset_id {name}: give each one of its own.")
            named.add(name)
            content = text_of(video.get("content_id"))
            if content not in refs:
                self._fail(f"clip {name} has content_id {content}, which no reference has.")
            clips.append(self._clip(name, video, refs[content], ratings))
            for subject, given in self._votes(name, video.get("os")).items():
                votes[name, subject] = given
        if len(ratings) > 1:
            self._fail(f"clips have {' and '.join(sorted(ratings))}: use one name for ratings.")
        table, subjects = None, ()
        if votes:
            table, subjects = vote_table(self._name, [clip.name for clip in clips], votes)
        ref_score = self._values.get("ref_score")
        if ref_score is not None and not _is_number(ref_score):
            self._fail("ref_score must be a number.")
        rating = next(iter(ratings), "votes")
        return Study(self._name, tuple(clips), rating, table, subjects, ref_score)

    def _videos(self, key: str) -> list[dict[str, Any]]:
        videos = self._values.get(key)
        if isinstance(videos, dict):
            number = "content_id" if key == "ref_videos" else "asset_id"
            pairs = videos.items()
            videos = [{number: k} | v if isinstance(v, dict) else v for k, v in pairs]
        if not isinstance(videos, (list, tuple)) or not videos:
            self._fail(f"{key} must be a list of dicts, or a dict of them.")
        for video in videos:
            if not isinstance(video, dict) or "content_id" not in video:
                self._fail(f"{key} must be dicts with a content_id.")
        return list(videos)

    def _clip(
        self, name: str, video: Mapping[str, Any], ref: Mapping[str, Any], ratings: set[str]
    ) -> Clip:
        keys = RATINGS if self._rating is None else (self._rating,)
        key = next((k for k in keys if video.get(k) is not None), None)
        if key is None and self._rating is not None and "os" not in video:
            self._fail(f"clip {name} has no {self._rating}.")
        score = float("nan")
        if key is not None:
            ratings.add(key)
            if not _is_number(video[key]):
                self._fail(f"{key} of clip {name} must be a number.")
            score = float(video[key])
        error = video.get("groundtruth_std")
        paths = [self._path(v.get("path"), name) for v in (ref, video)]
        content = str(ref["content_name"]) if self._titled else text_of(ref["content_id"])
        return Clip(
            name=name,
            content=content,
            ref=paths[0],
            dis=paths[1],
            options=self._options(video, ref),
            rating=score,
            interval=interval_of(
                None, float(error) if error is not None and _is_number(error) else None
            ),
            is_reference=paths[0] is not None and paths[0] == paths[1],
        )

    def _path(self, path: Any, name: str) -> str | None:
        if path is None:
            return None
        if not isinstance(path, str):
            self._fail(f"the path of clip {name} must be text.")
        return path if "://" in path else os.path.join(self._folder, path)

    def _options(self, video: Mapping[str, Any], ref: Mapping[str, Any]) -> dict[str, Any]:
        """The format of raw files; what we can't do as libvmaf does is kept, to be refused."""
        found: dict[str, Any] = {}
        merged = {**self._values, **ref, **video}
        pixel_format = merged.get("yuv_fmt")
        if isinstance(pixel_format, str) and pixel_format != "notyuv":
            sizes = {k: merged[k] for k in ("width", "height") if isinstance(merged.get(k), int)}
            found |= sizes
            if sizes:
                found["pixel_format"] = pixel_format
        shown = [merged.get(key) for key in ("quality_width", "quality_height")]
        if all(isinstance(side, int) for side in shown):
            found["scale"] = tuple(shown)
        unknown = [key for key in _UNKNOWN if merged.get(key) is not None]
        if unknown:
            found["unsupported"] = ", ".join(unknown)
        return found

    def _votes(self, name: str, votes: Any) -> dict[str, list[float]]:
        if votes is None:
            return {}
        if isinstance(votes, (list, tuple)):
            if self._voters not in (None, len(votes)):
                self._fail(
                    f"clip {name} has {len(votes)} votes and others have {self._voters}: write "
                    "None for votes that are missing, or name the subjects in dicts."
                )
            self._voters = len(votes)
            votes = dict(enumerate(votes, 1))
        if not isinstance(votes, dict):
            self._fail(f"os of clip {name} must be a list or a dict of votes.")
        found = {}
        for subject, given in votes.items():
            if isinstance(subject, tuple):
                self._fail("has votes of paired comparison, which are not read: give ratings.")
            values = list(given) if isinstance(given, (list, tuple)) else [given]
            for value in values:
                if value is not None and not _is_number(value):
                    self._fail(f"a vote on clip {name} is no number.")
            known = [float(v) for v in values if v is not None]
            if known:
                found[text_of(subject)] = known
        return found


def _is_number(value: Any) -> bool:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return known and math.isfinite(value)
