"""Packages that only some users need."""

from __future__ import annotations

import importlib
from typing import Any


class MissingPackage(ImportError):
    """An optional package is not installed; the message says how to install it."""


def require(module: str, what: str, extra: str) -> Any:
    """Imports an optional module.

    Args:
        module: its name.
        what: what needs it, the beginning of the message.
        extra: the extra of jaxvqa that brings it.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingPackage(
            f'{what} needs {package}: run pip install "jaxvqa[{extra}]".'
        ) from error
