"""`jaxvqa features`: what can be measured, with all options."""

from __future__ import annotations

import argparse
import json
from typing import Any

from jaxvqa._cli.terminal import Column, print_folded, print_styled, print_table
from jaxvqa.features._feature import CHROMA, CHROMA_IF_PRESENT, Feature
from jaxvqa.features._options import Option
from jaxvqa.features._registry import FEATURES, find
from jaxvqa.features._run import smallest_square


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "features",
        help=help,
        description="Lists the features, or describes one with its options.",
        usage="jaxvqa features [NAME] [--json]",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a feature to describe")
    parser.add_argument("--json", action="store_true", help="print JSON, with all details")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints the listing."""
    if args.name is not None:
        feature = find(args.name)
        if args.json:
            print(json.dumps(_as_json(feature), indent=2))
        else:
            _describe(feature)
        return 0
    found = list(FEATURES.values())
    if args.json:
        print(json.dumps([_as_json(feature) for feature in found], indent=2))
        return 0
    columns = [
        Column("feature", style="cyan"),
        Column("input"),
        Column("gradient"),
        Column("what it measures", fold=True),
    ]
    rows = [[f.name, _planes(f), _gradient(f), f.summary] for f in found]
    print_table(columns, rows)
    print()
    print_folded("Options, outputs and the smallest frame of each: jaxvqa features NAME.")
    return 0


def _planes(feature: Feature) -> str:
    need = feature.need(feature.options())
    return {CHROMA: "colour", CHROMA_IF_PRESENT: "colour if there"}.get(need, "luma")


def _gradient(feature: Feature) -> str:
    return "yes" if feature.differentiable else "no"


def _as_json(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "summary": feature.summary,
        "integer": feature.integer,
        "differentiable": feature.differentiable,
        "needs_chroma": feature.need(feature.options()) == CHROMA,
        "smallest_square": smallest_square(feature),
        "outputs": [
            {"name": o.name, "direction": o.direction, "libvmaf_key": o.key}
            for o in feature.outputs(feature.resolve({}))
            if o.shown
        ],
        "options": [_option_json(option) for option in feature.options.spec()],
    }


def _option_json(option: Option) -> dict[str, Any]:
    limits = None if option.low is None and option.high is None else [option.low, option.high]
    return {
        "name": option.name,
        "alias": option.alias,
        "python": option.python,
        "default": option.default,
        "range": limits,
        "choices": None if option.choices is None else list(option.choices),
        "help": option.help,
    }


def _value(option: Option) -> str:
    if isinstance(option.default, bool):
        return str(option.default).lower()
    return str(option.default) if isinstance(option.default, str) else f"{option.default:g}"


def _describe(feature: Feature) -> None:
    print_styled(feature.name, "bold cyan")
    print_folded(feature.summary, "  ")
    print()
    side = smallest_square(feature)
    outputs = [o for o in feature.outputs(feature.resolve({})) if o.shown]
    better = {"neither": "neither better nor worse"}
    facts = {
        "planes": _planes(feature),
        "samples": "integer" if feature.integer else "integer or float",
        "gradient": _gradient(feature),
        "smallest frame": "unknown" if side is None else f"{side}x{side}, if square",
    }
    rows = [[key, value] for key, value in facts.items()]
    print_table([Column("", style="dim"), Column("", fold=True)], rows)
    print()
    rows = [[o.name, better.get(o.direction, f"{o.direction} is better")] for o in outputs]
    print_table([Column("output", fold=True, style="cyan"), Column("direction")], rows)
    options = feature.options.spec()
    if not options:
        return
    print()
    columns = [
        Column("option", style="cyan"),
        Column("alias"),
        Column("default"),
        Column("range", fold=True),
    ]
    rows = [[o.name, o.alias or "", _value(o), o.range] for o in options]
    print_table(columns, rows, notes=[o.help for o in options])
    print()
    example = options[0]
    print_folded(f"Use: --feature {feature.name}={example.name}={_value(example)}")
