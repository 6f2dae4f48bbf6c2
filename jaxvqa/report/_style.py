"""How pictures look: colours, fonts, and files that are equal for equal numbers."""

from __future__ import annotations

import io
from typing import Any

PLOT_FORMATS = ("png", "svg", "pdf")
COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea", "#db2777", "#64748b", "#b45309", "#0891b2")
INK, GREY, GRID = "#1f2937", "#6b7280", "#e5e7eb"
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": "#9ca3af",
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "svg.hashsalt": "jaxvqa",
}


def rendered(figure: Any, kind: str) -> bytes:
    """A figure as a file of one of `PLOT_FORMATS`, without dates: equal scores, equal files."""
    sink = io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.savefig(sink, format=kind, metadata=metadata[kind])
    return sink.getvalue()
