"""The version, as the installed package states it."""

from importlib import metadata

try:
    __version__ = metadata.version("jaxvqa")
except metadata.PackageNotFoundError:  # a checkout on the path that was never installed
    __version__ = "unknown"
