"""Options of features: typed dataclasses that carry libvmaf's names, ranges and aliases.

A feature's options are one class, stated once:

    @dataclass(frozen=True)
    class MyOptions(Options):
        gain_limit: float = option(100.0, "largest gain", 1.0, 100.0, name="my_gain", alias="gl")

Its fields are the keywords of the Python function. Everything else (parsing, names of outputs,
listings, signatures, docs) is read from the class.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jaxvqa._checks import shown, truth

Value = bool | int | float | str
SomeOptions = TypeVar("SomeOptions", bound="Options")


@dataclass(frozen=True)
class Option:
    """What is known about one option.

    Args:
        python: the keyword of the Python function, e.g. `enhancement_gain_limit`.
        name: libvmaf's name, e.g. `vif_enhn_gain_limit`.
        default: the default value; its type is the option's type.
        help: one line for listings.
        low, high: allowed range of a number, both included.
        choices: allowed strings.
        alias: short name that marks a non-default value in output names (`egl` in
            `vif_scale0_egl_1`); None for options that never show there.
        adds_outputs: True for a switch that adds outputs and changes none.
        filled_by: fact of a request or clip that fills the option in where it is 0:
            "encode_width", "encode_height" or "encode_bitdepth", of the encode that the distorted
            video was decoded from, or "frame_rate".
    """

    python: str
    name: str
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    alias: str | None = None
    adds_outputs: bool = False
    filled_by: str | None = None

    def parse(self, value: Any) -> Value:
        """Converts text or a number to this option's type and checks its range.

        Raises:
            ValueError: a value of another type, not finite, or out of range.
        """
        if isinstance(self.default, bool):
            found = truth(value)
            if found is None:
                raise ValueError(f"{self.name} must be true or false, got {shown(value)}.")
            return found
        if isinstance(self.default, str):
            if self.choices is not None and value not in self.choices:
                raise ValueError(
                    f"{self.name} must be one of {', '.join(self.choices)}; got {shown(value)}."
                )
            if not isinstance(value, str):
                raise ValueError(f"{self.name} must be text, got {shown(value)}.")
            return value
        return self._parse_number(value)

    def _parse_number(self, value: Any) -> float | int:
        whole = isinstance(self.default, int)
        kind = "a whole number" if whole else "a number"
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or (whole and number != int(number)):
            raise ValueError(f"{self.name} must be {kind}, got {shown(value)}.")
        low, high = self.low, self.high
        if (low is not None and number < low) or (high is not None and number > high):
            raise ValueError(f"{self.name} must {self._limits}, got {number:g}.")
        return int(number) if whole else number

    @property
    def _limits(self) -> str:
        if self.low is not None and self.high is not None:
            return f"lie between {self.low:g} and {self.high:g}"
        return f"be at most {self.high:g}" if self.low is None else f"be at least {self.low:g}"

    def format(self, value: Value) -> str:
        """The value as libvmaf prints it in an output name: `%g`, `%d` or the string itself."""
        return value if isinstance(value, str) else f"{value:g}"

    def suffix(self, value: Value) -> str:
        """What this option adds to an output name: nothing at its default."""
        if self.alias is None or value == self.default:
            return ""
        return f"_{self.alias}" if value is True else f"_{self.alias}_{self.format(value)}"

    @property
    def range(self) -> str:
        """The allowed values in words."""
        if isinstance(self.default, bool):
            return "true, false"
        if self.choices is not None:
            return ", ".join(self.choices)
        if isinstance(self.default, str):
            return "any text"
        if self.low is None:
            return "any number" if self.high is None else f"up to {self.high:g}"
        return f"from {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"


def option(
    default: Value,
    help: str,
    low: float | None = None,
    high: float | None = None,
    *,
    name: str | None = None,
    choices: tuple[str, ...] | None = None,
    alias: str | None = None,
    adds_outputs: bool = False,
    filled_by: str | None = None,
) -> Any:
    """A field of an `Options` class.

    Args:
        default: the default value.
        help: one line for listings and docs.
        low: smallest number allowed.
        high: largest number allowed.
        name: libvmaf's name; that of the field if None.
        choices: allowed strings.
        alias: what marks a non-default value in output names; None if nothing does.
        adds_outputs: True for a switch that adds outputs and changes none.
        filled_by: fact of a request or clip that fills the option in; see `Option`.
    """
    facts = {"name": name, "help": help, "low": low, "high": high, "choices": choices}
    facts |= {"alias": alias, "adds_outputs": adds_outputs, "filled_by": filled_by}
    return dataclasses.field(default=default, metadata=facts)


@dataclass(frozen=True)
class Options:
    """Values of a feature's options; subclasses add the fields, with `option`.

    Immutable and hashable, so it can be a static argument of a compiled function.
    """

    @classmethod
    def spec(cls) -> tuple[Option, ...]:
        """The options in the order of the fields."""
        return _spec_of(cls)

    @classmethod
    def parse(cls: type[SomeOptions], feature: str, given: Mapping[str, Any]) -> SomeOptions:
        """Options given under libvmaf's names, Python names or aliases, as text or values.

        Args:
            feature: name of the feature, for messages.
            given: the options; all others have their defaults.

        Raises:
            ValueError: an unknown name, the same option twice, a wrong type or a value out of
                range.
        """
        spec = cls.spec()
        by_name = {o.alias: o for o in spec if o.alias} | {o.python: o for o in spec}
        by_name |= {o.name: o for o in spec}
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in by_name:
                known = ", ".join(o.name for o in spec) or "none"
                raise ValueError(f"{feature} has no option {name!r}; it has: {known}.")
            wanted = by_name[name]
            if wanted.python in values:
                raise ValueError(f"{feature} got option {wanted.name} twice.")
            values[wanted.python] = wanted.parse(value)
        return cls(**values)

    def replace(self: SomeOptions, **values: Any) -> SomeOptions:
        """The same options with some values replaced, under their Python names."""
        return dataclasses.replace(self, **values)

    @classmethod
    def additions(cls) -> tuple[str, ...]:
        """The switches that only add outputs, under their Python names."""
        return tuple(o.python for o in cls.spec() if o.adds_outputs)

    def without_additions(self: SomeOptions) -> SomeOptions:
        """The same without the outputs that switches add; what is left decides every value."""
        return self.replace(**dict.fromkeys(self.additions(), False))

    def changed(self) -> dict[str, Value]:
        """The options that differ from their defaults, under libvmaf's names."""
        return {o.name: v for o, v in self._pairs() if v != o.default}

    @property
    def suffix(self) -> str:
        """What the non-default options add to output names, in libvmaf's order."""
        ordered = sorted(self._pairs(), key=lambda pair: pair[0].name)
        return "".join(o.suffix(value) for o, value in ordered)

    @property
    def hidden_suffix(self) -> str:
        """What tells options apart whose `suffix` is equal: the values that have no alias."""
        pairs = ((o, v) for o, v in self._pairs() if o.alias is None and not o.adds_outputs)
        return "".join(f"_{o.name}_{o.format(value)}" for o, value in pairs)

    def _pairs(self) -> list[tuple[Option, Any]]:
        return [(o, getattr(self, o.python)) for o in self.spec()]


def check_defaults(feature: str, options: Options, names: Iterable[str]) -> None:
    """Raises ValueError if one of the options, under its Python name, is not at its default."""
    changed = options.changed()
    for o in options.spec():
        if o.python in names and o.name in changed:
            raise ValueError(f"options of {feature} are not trained beside {o.name}: leave it out.")


@functools.cache
def _spec_of(options: type[Options]) -> tuple[Option, ...]:
    return tuple(_described(field) for field in dataclasses.fields(options))


def _described(field: dataclasses.Field[Any]) -> Option:
    facts = dict(field.metadata)
    name = facts.pop("name") or field.name
    return Option(python=field.name, name=name, default=field.default, **facts)  # type: ignore[arg-type]


_PAIR = re.compile(r"^([^=:]+)=([^:]*)$")


def parse_text(text: str) -> tuple[str, dict[str, str]]:
    """Splits libvmaf's `name=option=value:option=value` into the name and its options.

    `name=NAME:option=value`, as FFmpeg's filter has it, is the same.
    """
    name, _, rest = text.partition("=")
    name, values = name.strip(), {}
    if name == "name":
        name, _, rest = (part.strip() for part in rest.partition(":"))
    if not name:
        raise ValueError(f"feature {text!r} has no name: write name or name=option=value:...")
    for part in rest.split(":") if rest else []:
        match = _PAIR.match(part)
        if match is None and ":" in name:
            first, _, others = text.partition(":")
            raise ValueError(f"feature {text!r}: write {first}={others}, with = behind the name.")
        if match is None:
            raise ValueError(f"feature {text!r}: {part!r} is not of the form option=value.")
        if match[1] in values:
            raise ValueError(f"feature {text!r} gives option {match[1]} twice.")
        values[match[1]] = match[2]
    return name, values
