"""An argument parser whose errors are one sentence, and that takes libvmaf's spellings."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

from jaxvqa._cli.errors import UsageError

_NEGATIVE_SECONDS = re.compile(r"-[\d.]+s")


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError and knows its options for suggestions.

    `instead` says what to write for options of other programs.
    """

    instead: Mapping[str, str] = MappingProxyType({})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what `ArgumentParser` takes; options are never completed from their beginning."""
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, allow_abbrev=False, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raises UsageError with argparse's message as a sentence."""
        found = re.match(r"argument COMMAND: invalid choice: '(.*)' \(choose from (.*)\)", message)
        if found:
            commands = re.findall(r"\w+", found[2])
            close = difflib.get_close_matches(found[1], commands, n=1, cutoff=0.5)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(commands)}."
            raise UsageError(f"there is no command {found[1]!r}: {advice}")
        raise UsageError(f"{message.rstrip('.')} (see {self.prog} --help).")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Raises UsageError for arguments that no option takes."""
        first = unknown[0]
        name = first.partition("=")[0]
        if not first.startswith("-"):
            self.error(f"unexpected argument {first!r}")
        if name in self.instead:
            raise UsageError(f"there is no option {name}: write {self.instead[name]}.")
        if close := self._like(name):
            raise UsageError(f"there is no option {name}: did you mean {close[0]}?")
        self.error(f"there is no option {name}")

    def _like(self, name: str) -> list[str]:
        """The options that begin with a name, or else the one that is most like it."""
        known = list(self._option_string_actions)
        longer = [option for option in known if len(name) > 2 and option.startswith(name)]
        # --no-color is like neither --no-model nor --color, which is of videos
        start = "--no-" if name.startswith("--no-") else "--"
        rest = [o.removeprefix(start) for o in known if o.startswith("--no-") == (start != "--")]
        found = difflib.get_close_matches(name.removeprefix(start), rest, n=1, cutoff=0.6)
        return longer or [option for option in known if option in (start + f for f in found)]


def with_hyphens(arguments: Sequence[str]) -> list[str]:
    """Long options with hyphens for underscores: `--frame_cnt=5` becomes `--frame-cnt=5`.

    Negative seconds, which argparse takes for an option, are joined to theirs: `--offset=-1.5s`.
    """
    found: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "--":
            return [*found, *arguments[i:]]
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            argument = name.replace("_", "-") + equals + value
        elif _NEGATIVE_SECONDS.fullmatch(argument) and found and found[-1] == "--offset":
            argument = f"{found.pop()}={argument}"
        found.append(argument)
    return found
