"""Text for a page: everything that comes from outside is escaped here."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any


def escaped(text: object) -> str:
    """Text as markup that shows it."""
    return html.escape(str(text), quote=True)


def script_json(value: Any) -> str:
    """JSON that can stand in a `<script>`: nothing in it can end the element or begin another."""
    text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value


def table(
    heads: Sequence[tuple[str, bool]], rows: Iterable[str], *, label: str, narrow: bool = False
) -> str:
    """A table that scrolls where it is wider than the page.

    Args:
        heads: text of each heading, and whether numbers stand below it.
        rows: markup of the cells of each row.
        label: what assistive programs call it.
        narrow: as wide as its content.
    """
    head = "".join(
        f'<th scope="col"{" class=n" if numeric else ""}>{escaped(text)}</th>'
        for text, numeric in heads
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="scroll{" narrow" if narrow else ""}" tabindex="0" role="region" '
        f'aria-label="{escaped(label)}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def cell(value: float | None) -> str:
    """A cell with a number."""
    return f'<td class="n">{number(value)}</td>'


def swatch(index: int) -> str:
    """The colour of a result."""
    return f'<span class="swatch c{index % 8}"></span>'


def fingerprint(text: str) -> str:
    """What a content security policy calls this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def number(value: float | None) -> str:
    """A value as the page shows it."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size != 0 and not 1e-3 <= size < 1e6:
        return f"{value:.4g}"
    return f"{value:.2f}" if size >= 10 else f"{value:.4f}"
