"""Options that name the columns of a table of encodes, for the commands that make curves of it."""

from __future__ import annotations

import re
from typing import Any


def add_columns(group: Any, quality: str | None, otherwise: str) -> None:
    """Adds the options.

    Args:
        group: of the parser.
        quality: the score where none is named.
        otherwise: the same in words.
    """
    group.add_argument(
        "--group", default="title", metavar="NAME",
        help="which encodes show the same video (default: title, else ref)",
    )  # fmt: skip
    group.add_argument("--rate", default="bitrate", metavar="NAME", help="rate (default: bitrate)")
    group.add_argument(
        "--quality", default=quality, metavar="NAME",
        help=f"a score that rises with quality (default: {otherwise})",
    )  # fmt: skip
    group.add_argument(
        "--encoder", action="append", default=[], metavar="NAME",
        help="what names the encoder; several columns together (default: all are one encoder's)",
    )  # fmt: skip
    group.add_argument(
        "--size", action="append", metavar="NAME",
        help="encoded size, one column as 1280x720 or two (default: found by its name)",
    )  # fmt: skip


def columns_of(args: Any) -> dict[str, Any]:
    """What was named, as `ladders.build_ladders` takes it."""
    return {name: getattr(args, name) for name in ("group", "rate", "quality", "encoder", "size")}


def with_flags(sentence: str) -> str:
    """A sentence about columns in the spelling of the command line."""
    return re.sub(r"\b(group|rate|quality|encoder|size)='([^']*)'", r"--\1 \2", sentence)
