"""Prepares docstrings and signatures that were read from the running package, for mkdocstrings."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Prepared(griffe.Extension):
    """Changes before docstrings are parsed and signatures laid out."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """The example becomes a section that shows code, which griffe calls Examples."""
        if obj.docstring:
            obj.docstring.value = re.sub(
                r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE
            )

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """What has another name elsewhere is a default, or part of `typing`'s protocols."""
        for name, member in list(cls.members.items()):
            if isinstance(member, griffe.Alias) and not member.target_path.endswith(f".{name}"):
                cls.del_member(name)

    def on_attribute(self, *, attr: griffe.Attribute, **kwargs: Any) -> None:
        """A default of a dataclass has no text of its own: what is found is that of its type."""
        if "property" not in attr.labels:
            attr.docstring = None

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """A default without a literal, or a record of many fields, is shown by dots."""
        for parameter in func.parameters:
            default = str(parameter.default)
            if default.startswith("<"):
                parameter.default = "..."
            elif len(default) > 60 and (record := re.match(r"\w+\(", default)):
                parameter.default = f"{record[0]}...)"
