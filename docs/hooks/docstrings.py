"""Prepares docstrings and signatures that were read from the running package, for mkdocstrings."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Prepared(griffe.Extension):
    """Three changes, before docstrings are parsed and signatures laid out."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """The example becomes a section that shows code, which griffe calls Examples."""
        if obj.docstring:
            obj.docstring.value = re.sub(
                r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE
            )

    def on_attribute(self, *, attr: griffe.Attribute, **kwargs: Any) -> None:
        """A default of a dataclass has no text of its own: what is found is that of its type."""
        if "property" not in attr.labels:
            attr.docstring = None

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """A default that a factory makes is shown as code can have it."""
        for parameter in func.parameters:
            if str(parameter.default) == "<factory>":
                parameter.default = "..."
