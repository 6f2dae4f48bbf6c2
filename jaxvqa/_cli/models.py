"""`jaxvqa models`: the models that ship."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from jaxvqa._cli.terminal import Column, print_folded, print_styled, print_table
from jaxvqa.fusion import _catalog as catalog
from jaxvqa.fusion._catalog import ModelRecord


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "models",
        help=help,
        description="Lists the models that ship with jaxvqa, or describes one.",
        usage="jaxvqa models [NAME] [--json]",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model or alias to describe")
    parser.add_argument("--json", action="store_true", help="print JSON, with all details")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Prints the listing."""
    records = catalog.list_models()
    if args.name is not None:
        records = (_find(args.name, records),)
    if args.json:
        found = [_as_json(record) for record in records]
        print(json.dumps(found if args.name is None else found[0], indent=2))
    elif args.name is not None:
        _describe(records[0])
    else:
        _list(records)
    return 0


def _find(name: str, records: tuple[ModelRecord, ...]) -> ModelRecord:
    for record in records:
        if name == record.name or name in record.aliases:
            return record
    # the registry's own sentence, with names that come close
    catalog.load_request(catalog.ModelRequest(name, kind="version"))
    raise ValueError(f"there is no shipped model {name!r}.")


def _as_json(record: ModelRecord) -> dict[str, Any]:
    info = dataclasses.asdict(record.info) | {"name": record.name}
    features = [
        {"extractor": f.extractor, "key": f.key, "options": dict(f.options)}
        for f in record.features
    ]
    extra = {"aliases": list(record.aliases), "bootstrap_members": record.members}
    return info | extra | {"features": features}


def _range(record: ModelRecord) -> str:
    limits = record.info.score_range
    return "open" if limits is None else f"{limits[0]:g} to {limits[1]:g}"


def _screen(record: ModelRecord) -> str:
    distance = record.info.viewing_distance
    number, _, unit = distance.partition(" ")
    if unit == "picture heights":
        return f"{record.info.display}, {number}H"
    return record.info.display


def _list(records: tuple[ModelRecord, ...]) -> None:
    columns = [
        Column("model", style="cyan"),
        Column("screen, distance"),
        Column("scores"),
        Column("better"),
        Column("input"),
    ]
    rows, notes = [], []
    for record in records:
        info = record.info
        bits = info.bit_depth.partition(",")[0]
        rows.append([record.name, _screen(record), _range(record), info.direction, bits])
        aliases = f" (also {', '.join(record.aliases)})" if record.aliases else ""
        notes.append(f"{info.summary}{aliases}")
    print_table(columns, rows, notes=notes)
    print()
    print_folded("H: picture heights from the screen. Each model in full: jaxvqa models NAME.")
    licences: dict[str, list[str]] = {}
    for record in records:
        licences.setdefault(record.info.license, []).append(record.name)
    for licence, names in licences.items():
        which = "all models" if len(licences) == 1 else ", ".join(names)
        print_folded(f"Licence of the numbers: {licence} ({which}).")


def _describe(record: ModelRecord) -> None:
    info = record.info
    print_styled(record.name, "bold cyan")
    print_folded(info.summary, "  ")
    print()
    facts = {
        "aliases": ", ".join(record.aliases) or "none",
        "screen": info.display,
        "viewing distance": info.viewing_distance,
        "scores": f"{_range(record)}, {info.direction} is better",
        "input": info.bit_depth,
        "licence": info.license,
        "source": f"{info.source}, revision {info.revision}",
    }
    if info.typical_error is not None:
        mean, large = info.typical_error
        facts["typical error"] = f"{mean:g} points; one clip of 20 exceeds {large:g}"
    if record.members:
        facts["bootstrap members"] = str(record.members)
    rows = [[key, value] for key, value in facts.items()]
    print_table([Column("", style="dim"), Column("", fold=True)], rows)
    print()
    rows = [
        [f.extractor, f.key, ", ".join(f"{k}={v}" for k, v in f.settings.items()) or "defaults"]
        for f in record.features
    ]
    columns = [Column("feature", style="cyan"), Column("value", fold=True)]
    print_table([*columns, Column("options", fold=True)], rows)
