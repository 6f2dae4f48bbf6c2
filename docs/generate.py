"""Writes the tables of docs/metrics.md and docs/losses.md from the registry.

    python docs/generate.py            # writes them in place
    python docs/generate.py --check    # says what differs and fails

A table lies between two comments that name it; what is around them is written by hand.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from jaxvqa import losses
from jaxvqa._cli.features import smallest_square
from jaxvqa.features._feature import MEASURED, OF_REFERENCE, Feature, Output
from jaxvqa.features._options import Option
from jaxvqa.features._registry import FUNCTIONS, differentiable
from jaxvqa.features._registry import losses as losses_of_features

DOCS = Path(__file__).parent

FEATURES: tuple[Feature, ...] = tuple(function.feature for function in FUNCTIONS.values())

_BETTER = {"higher": "higher", "lower": "lower", "neither": "-"}
_PERFECT = {OF_REFERENCE: "the reference's", MEASURED: "measured"}


def code(text: str) -> str:
    """Text as inline code."""
    return f"`{text}`"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', chr(92) + '|') for c in x)} |" for x in lines)


def metrics() -> str:
    """One row per metric."""
    heads = ("metric", "in Python", "measures", "planes", "samples", "gradient", "smallest square")
    return table(heads, (_metric(feature) for feature in FEATURES))


def _metric(feature: Feature) -> tuple[str, ...]:
    side = smallest_square(feature)
    return (
        code(feature.name),
        code(f"features.{FUNCTIONS[feature.name].__name__}"),
        feature.summary,
        feature.need(feature.options()),
        "integer" if feature.integer else "integer or float",
        _gradient(feature),
        "-" if side is None else f"{side}x{side}",
    )


def _gradient(feature: Feature) -> str:
    if feature.differentiable:
        return "yes"
    if feature.surrogate is not None:
        return "a surrogate, in losses"
    twins = {differentiable(feature, key, {})[0].name for key in feature.model_keys()}
    names = ", ".join(code(name) for name in sorted(twins - {feature.name}))
    return f"of its twin {names}" if names else "no"


def outputs() -> str:
    """One row per output; outputs without key that are alike in all else share one."""
    heads = ("metric", "output", "better", "equal pair", "with", "key in model files")
    rows: list[list[str]] = []
    for feature in FEATURES:
        for output, switch in _outputs(feature):
            facts = [
                code(feature.name),
                code(output.name),
                _BETTER[output.direction],
                _perfect(output),
                code(switch) if switch else "",
                code(output.key) if output.key else "",
            ]
            last = rows[-1] if rows else []
            if not output.key and [facts[0], *facts[2:]] == [*last[:1], *last[2:]]:
                last[1] += f", {facts[1]}"
            else:
                rows.append(facts)
    return table(heads, rows)


def _outputs(feature: Feature) -> Iterator[tuple[Output, str]]:
    """Outputs that results show, and the option that switches each on."""
    known = set()
    switches = [o for o in feature.options.spec() if isinstance(o.default, bool)]
    for option in (None, *switches):
        values = {} if option is None else {option.python: True}
        for output in feature.outputs(feature.options().replace(**values)):
            if output.shown and output.name not in known:
                known.add(output.name)
                yield output, "" if option is None else option.name


def _perfect(output: Output) -> str:
    if callable(output.perfect):
        return "depends on the bit depth"
    return _PERFECT.get(output.perfect) or f"{output.perfect:g}"  # type: ignore[arg-type]


def options() -> str:
    """A table per metric that has options."""
    heads = ("option", "in Python", "default", "range", "alias", "what it does")
    parts = []
    for feature in FEATURES:
        spec = feature.options.spec()
        if spec:
            rows = (_option(option) for option in spec)
            parts.append(f"### Options of {code(feature.name)}\n\n{table(heads, rows)}")
    without = (code(feature.name) for feature in FEATURES if not feature.options.spec())
    return "\n\n".join([*parts, f"Without options: {', '.join(without)}."])


def _option(option: Option) -> tuple[str, ...]:
    default = option.default
    shown = str(default).lower() if isinstance(default, bool) else option.format(default)
    alias = code(option.alias) if option.alias else ""
    return code(option.name), code(option.python), shown, option.range, alias, option.help


def losses_table() -> str:
    """One row per loss that ships."""
    of = {name: f for name, f in losses_of_features().items() if f in FEATURES}
    rows = []
    for name in losses.names():
        if name not in of and name not in ("funque", "vmaf"):
            continue
        text = inspect.getdoc(getattr(losses, name)) or ""
        source = f"metric {code(of[name].name)}" if name in of else "fusion models"
        rows.append((code(name), source, text.partition("\n")[0], _returns(text)))
    return table(("loss", "made of", "measures", "returns"), rows)


def _returns(text: str) -> str:
    """The section of a docstring, without the shape that all losses share."""
    found = re.search(r"\nReturns:\n((?: {4}.*\n)+)", text)
    assert found is not None
    joined = " ".join(found[1].split())
    return joined.removeprefix("`(frames,)`, or a scalar if reduced").lstrip(":, ")


SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "metrics.md": {"metrics": metrics, "outputs": outputs, "options": options},
    "losses.md": {"losses": losses_table},
}


def generated(text: str, name: str, content: str) -> str:
    """The page with a section's content replaced.

    Raises:
        ValueError: the page lacks the comments that enclose the section.
    """
    start, end = f"<!-- generated by docs/generate.py: {name} -->", f"<!-- end of {name} -->"
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"the page has no section {name!r}: put it between {start} and {end}.")
    return f"{before}{start}\n\n{content}\n\n{end}{after}"


def pages() -> dict[Path, str]:
    """Every page with tables, as it should be."""
    found = {}
    for page, sections in SECTIONS.items():
        text = (DOCS / page).read_text()
        for name, content in sections.items():
            text = generated(text, name, content())
        found[DOCS / page] = text
    return found


def main() -> int:
    """Writes or checks the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on differences")
    check = parser.parse_args().check
    stale = {path: text for path, text in pages().items() if path.read_text() != text}
    for path, text in stale.items():
        print(f"{path.name}: {'differs from the registry' if check else 'written'}")
        if not check:
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
