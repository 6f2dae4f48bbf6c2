"""Studies from data set files of libvmaf, sureal and funque_plus."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, NoReturn

from jaxvqa._study.dataset_file import read_assignments
from jaxvqa._study.dataset_format import read_format
from jaxvqa._study.manifest import RATINGS, text_of
from jaxvqa._study.study import Clip, Study, interval_of, vote_table
from jaxvqa._tables import TableError


def read_dataset(
    path: str | os.PathLike[str],
    rating: str | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Study:
    """A study from a data set file; the file is read as data and never run.

    Args:
        path: a `.py` file with `ref_videos` and `dis_videos`, lists of dicts as libvmaf and sureal
            have them, or dicts of dicts as funque_plus has them.
        rating: the key of the ratings; None takes the first of `RATINGS` that a clip has.
        root: the folder that relative paths begin at, and libvmaf's checkout for paths of its
            `VmafConfig`; None takes the folder of the file for the first and refuses the second.

    Raises:
        TableError: what is no such file, in one sentence.
    """
    return _Reader(os.fspath(path), rating, root).study()


class _Reader:
    def __init__(self, name: str, rating: str | None, root: str | os.PathLike[str] | None) -> None:
        self._name, self._rating = name, rating
        self._values = read_assignments(name, root)
        self._folder = os.path.dirname(name) if root is None else os.fspath(root)
        self._titled = False
        self._voters: int | None = None  # length of the lists of votes, whose order names subjects

    def _fail(self, problem: str) -> NoReturn:
        raise TableError(f"{self._name}: {problem}")

    def study(self) -> Study:
        refs: dict[str, Mapping[str, Any]] = {}
        for ref in self._videos("ref_videos"):
            content = self._id(ref["content_id"], "content_id")
            if content in refs:
                self._fail(f"two references have the content_id {content}: give each its own.")
            refs[content] = ref
        titles = [self._title(ref) for ref in refs.values()]
        self._titled = all(titles) and len(set(titles)) == len(titles)
        clips, votes, ratings = [], {}, set()
        videos = self._videos("dis_videos")
        for name, video in zip(self._names(videos), videos, strict=True):
            content = self._id(video["content_id"], "content_id")
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

    def _names(self, videos: list[dict[str, Any]]) -> list[str]:
        """The assets' ids, with that of the content where contents share them."""
        found = [self._id(video.get("asset_id", i), "asset_id") for i, video in enumerate(videos)]
        if len(set(found)) < len(found):
            contents = [self._id(video["content_id"], "content_id") for video in videos]
            pairs = list(zip(contents, found, strict=True))
            for content, name in pairs:
                if pairs.count((content, name)) > 1:
                    self._fail(
                        f"two clips of content {content} have the asset_id {name}: give each one "
                        "of its own."
                    )
            found = [f"{content}/{name}" for content, name in pairs]
        return found

    def _id(self, value: Any, key: str) -> str:
        if not isinstance(value, (str, int, float)):
            self._fail(f"{key} must be text or a number.")
        return text_of(value)

    def _title(self, ref: Mapping[str, Any]) -> str | None:
        title = ref.get("content_name")
        return None if title is None else self._id(title, "content_name")

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
        error: Any = video.get("groundtruth_std")
        if _is_missing(error):
            error = None
        elif not _is_number(error) or error < 0:
            self._fail(f"groundtruth_std of clip {name} must be a number of at least 0.")
        paths = [self._path(v.get("path"), name) for v in (ref, video)]
        title = self._title(ref) if self._titled else None
        return Clip(
            name=name,
            content=title or text_of(ref["content_id"]),
            ref=paths[0],
            dis=paths[1],
            options=self._options(name, video, ref),
            rating=score,
            interval=interval_of(None, error),
            is_reference=paths[0] is not None and paths[0] == paths[1],
        )

    def _path(self, path: Any, name: str) -> str | None:
        if path is None:
            return None
        if not isinstance(path, str):
            self._fail(f"the path of clip {name} must be text.")
        return path if "://" in path else os.path.join(self._folder, path)

    def _options(
        self, name: str, video: Mapping[str, Any], ref: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            return read_format(self._values, ref, video)
        except ValueError as error:
            self._fail(f"clip {name}: {error}")

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
                if not _is_missing(value) and not _is_number(value):
                    self._fail(f"a vote on clip {name} is no number.")
            known = [float(v) for v in values if not _is_missing(v)]
            if known:
                found[text_of(subject)] = known
        return found


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: Any) -> bool:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return known and math.isfinite(value)
