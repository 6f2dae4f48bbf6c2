"""What a user should know about a result, said once with a code that programs can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """Something a user should know about a result.

    Args:
        code: short stable name, e.g. "dropped-frames".
        text: one sentence.
    """

    code: str
    text: str

    def __str__(self) -> str:
        return self.text
