"""What is known of a clip beside its frames, and the options of features that it fills in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from jaxvqa._notice import Notice
from jaxvqa._planes import Planes, picture_form
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa.features._feature import Feature
from jaxvqa.features._options import Options

# facts that count together, as `Option.filled_by` names them
_GROUPS = {
    "encode_size": ("encode_width", "encode_height"),
    "encode_bitdepth": ("encode_bitdepth",),
    "frame_rate": ("frame_rate",),
}
_NAMES = {
    "encode_size": "size that the distorted video has in its file",
    "encode_bitdepth": "bit depth that the distorted video has in its file",
    "frame_rate": "clip's frame rate",
}


class Facts:
    """Fills in options of features.

    What a request says counts in any case, and is refused where a feature refuses it. What the
    files say is left out there, with a notice.

    Args:
        request: may say how the distorted video was encoded.
        clip: what the files say.
    """

    def __init__(self, request: ScoreRequest, clip: ClipInfo) -> None:
        self._picture: Planes = picture_form(clip.height, clip.width, clip.chroma, clip.bit_depth)
        self._said: dict[str, tuple[Any, ...]] = {}
        self._found: dict[str, tuple[Any, ...]] = {}
        if request.encode_size is not None:
            self._said["encode_size"] = request.encode_size
        if request.encode_bitdepth is not None:
            self._said["encode_bitdepth"] = (request.encode_bitdepth,)
        if clip.encoded is not None:
            self._found["encode_size"] = clip.encoded[:2]
            self._found["encode_bitdepth"] = clip.encoded[2:]
        if clip.fps is not None:
            self._found["frame_rate"] = (clip.fps,)
        self._unused = list(self._said)
        self._left_out: dict[Notice, None] = {}

    def fill(
        self, feature: Feature[Any], options: Sequence[Options], kept: Collection[str] = ()
    ) -> dict[str, Any]:
        """Options that facts fill in, under their Python names.

        Args:
            feature: the feature.
            options: all that it runs with.
            kept: options that stay as they are, under their Python names.

        Raises:
            ValueError: the request says what the feature does not take.
        """
        asked = {o.filled_by: o.python for o in feature.options.spec() if o.filled_by}
        filled: dict[str, Any] = {}
        for group, names in _GROUPS.items():
            facts = self._said.get(group) or self._found.get(group)
            if facts is None or not asked.keys() & set(names):
                continue
            if group in self._unused:
                self._unused.remove(group)
            own = {asked[n]: fact for n, fact in zip(names, facts, strict=True) if n in asked}
            own = {option: fact for option, fact in own.items() if option not in kept}
            try:
                feature.resolve(own)
                if group not in self._said:
                    for each in options:
                        feature.check(self._picture, each.replace(**filled, **own))
            except ValueError as error:
                if group in self._said:
                    raise
                text = f"{feature.name} goes without the {_NAMES[group]}: {error}"
                self._left_out[Notice("left-out", text)] = None
                continue
            filled |= own
        return filled

    @property
    def notices(self) -> list[Notice]:
        """What was left out, and what the request says in vain; complete after the last `fill`."""
        found = list(self._left_out)
        if self._unused:
            verb = "changes" if len(self._unused) == 1 else "change"
            text = (
                f"nothing here asks how the video was encoded: {' and '.join(self._unused)} {verb} "
                "nothing."
            )
            found.append(Notice("unused-option", text))
        return found
