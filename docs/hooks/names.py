"""The public names of the package, and the page of the site that each is on."""

from __future__ import annotations

import functools
import inspect
import pkgutil
import types
from importlib import import_module
from typing import Any

import jaxvqa

PACKAGE = "jaxvqa"
FOLDER = "api"
NAMESPACES = (
    PACKAGE,
    *sorted(m.name for m in pkgutil.iter_modules(jaxvqa.__path__) if not m.name.startswith("_")),
)


def load(namespace: str) -> types.ModuleType:
    """A namespace by its short name, `features`."""
    return jaxvqa if namespace == PACKAGE else import_module(f"{PACKAGE}.{namespace}")


def public(namespace: str) -> dict[str, Any]:
    """The public names of a namespace and their values, modules left out.

    A module that is one file holds names that it imports for itself; these are not its own.
    """
    module = load(namespace)
    found = {}
    for name in sorted(set(getattr(module, "__all__", dir(module))), key=str.lower):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if not hasattr(module, "__path__") and getattr(value, "__module__", "") != module.__name__:
            continue
        found[name] = value
    return found


def described(value: Any) -> bool:
    """Whether a value has a docstring of its own."""
    return inspect.isclass(value) or inspect.isroutine(value)


@functools.cache
def pages() -> dict[str, str]:
    """The page of every public name, by namespace and name, `features.vif`.

    What two namespaces share is on one page, that of the first.
    """
    found: dict[str, str] = {}
    seen: list[tuple[str, Any, str]] = []
    for namespace in NAMESPACES:
        for name, value in public(namespace).items():
            page = next((p for n, v, p in seen if n == name and v is value), None)
            if page is None:
                page = f"{FOLDER}/{namespace}/{name}.md"
                seen.append((name, value, page))
            found[f"{namespace}.{name}"] = page
    return found
