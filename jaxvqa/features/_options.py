"""Feature options with libvmaf's names, ranges, aliases and output-name rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Option:
    """One option of a feature.

    Args:
        name: libvmaf's name, e.g. `vif_enhn_gain_limit`.
        python: the keyword of the Python function, e.g. `enhancement_gain_limit`.
        default: the default value; its type is the option's type.
        help: one line for listings.
        low, high: allowed range of a number, both included.
        choices: allowed strings.
        alias: short name that marks a non-default value in output names (`egl` in
            `vif_scale0_egl_1`); None for options that never show there.
    """

    name: str
    python: str
    default: float | int | bool | str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    alias: str | None = None

    def parse(self, value: Any) -> float | int | bool | str:
        """Converts text or a number to this option's type and checks its range."""
        if isinstance(self.default, bool):
            found = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
            if found is None:
                raise ValueError(f"{self.name} must be true or false, got {value!r}.")
            return found
        if isinstance(self.default, str):
            if self.choices is not None and value not in self.choices:
                raise ValueError(
                    f"{self.name} must be one of {', '.join(self.choices)}; got {value!r}."
                )
            return str(value)
        return self._parse_number(value)

    def _parse_number(self, value: Any) -> float | int:
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if isinstance(value, bool):
            raise ValueError(f"{self.name} must be {kind}, got {value!r}.")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{self.name} must be {kind}, got {value!r}.") from None
        if isinstance(self.default, int) and number != int(number if number == number else 0):
            raise ValueError(f"{self.name} must be {kind}, got {value!r}.")
        low, high = self.low, self.high
        if not (low is None or number >= low) or not (high is None or number <= high):
            raise ValueError(f"{self.name} must lie between {low:g} and {high:g}, got {number:g}.")
        return int(number) if isinstance(self.default, int) else number

    def format(self, value: Any) -> str:
        """The value as libvmaf prints it in an output name: `%g`, `%d` or the string itself."""
        return value if isinstance(value, str) else f"{value:g}"

    def suffix(self, value: Any) -> str:
        """What this option adds to an output name: nothing at its default."""
        if self.alias is None or value == self.default:
            return ""
        return f"_{self.alias}" if value is True else f"_{self.alias}_{self.format(value)}"


class Options(Mapping[str, Any]):
    """The values of a feature's options, read as attributes under libvmaf's names.

    Immutable and hashable, so it can be a static argument of a compiled function.
    """

    def __init__(self, spec: tuple[Option, ...], values: Mapping[str, Any]) -> None:
        """Takes every option of `spec` from `values` (already parsed) or its default."""
        self._spec = spec
        self._values = {o.name: values.get(o.name, o.default) for o in spec}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self._values == other._values

    def __repr__(self) -> str:
        return f"Options({self.changed()})"

    def changed(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return {o.name: self._values[o.name] for o in self._spec if self[o.name] != o.default}

    def replace(self, **values: Any) -> Options:
        """The same options with some values replaced."""
        return Options(self._spec, self._values | values)

    @property
    def suffix(self) -> str:
        """What the non-default options add to output names, in libvmaf's order."""
        ordered = sorted(self._spec, key=lambda o: o.name)
        return "".join(o.suffix(self._values[o.name]) for o in ordered)


def resolve(feature: str, spec: tuple[Option, ...], given: Mapping[str, Any]) -> Options:
    """Parses options given under libvmaf's names, Python names or aliases.

    Raises:
        ValueError: an unknown name, the same option twice, a wrong type or a value out of range.
    """
    by_name = {o.alias: o for o in spec if o.alias} | {o.python: o for o in spec}
    by_name |= {o.name: o for o in spec}
    values: dict[str, Any] = {}
    for name, value in given.items():
        option = by_name.get(name)
        if option is None:
            known = ", ".join(o.name for o in spec) or "none"
            raise ValueError(f"{feature} has no option {name!r}; it has: {known}.")
        if option.name in values:
            raise ValueError(f"{feature} got option {option.name} twice.")
        values[option.name] = option.parse(value)
    return Options(spec, values)


_PAIR = re.compile(r"^([^=:]+)=([^:]*)$")


def parse_text(text: str) -> tuple[str, dict[str, str]]:
    """Splits libvmaf's `name=option=value:option=value` into the name and its options."""
    name, _, rest = text.partition("=")
    name, values = name.strip(), {}
    if not name:
        raise ValueError(f"feature {text!r} has no name: write name or name=option=value:...")
    for part in rest.split(":") if rest else []:
        match = _PAIR.match(part)
        if match is None:
            raise ValueError(f"feature {text!r}: {part!r} is not of the form option=value.")
        if match[1] in values:
            raise ValueError(f"feature {text!r} gives option {match[1]} twice.")
        values[match[1]] = match[2]
    return name, values
