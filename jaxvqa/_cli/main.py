"""The command `jaxvqa`."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module

import jaxvqa
from jaxvqa._cli.errors import FAILED, exit_code, sentence
from jaxvqa._cli.interrupt import debugging
from jaxvqa._cli.parser import Parser, with_hyphens

# each is a module of this package, and what `jaxvqa --help` says of it
_COMMANDS = {
    "score": "score a distorted video against its reference",
    "batch": "score the pairs of a manifest, and go on where that was ended",
    "info": "show what scoring sees of a video file",
    "models": "list the models, or describe one",
    "features": "list the features, or one with its options",
    "evaluate": "judge metrics by what people think of the clips",
    "train": "fit a fusion model to rated clips",
    "plot": "draw saved results over the frames",
    "report": "make a page of results, or of a table of them, to look at",
    "compare": "compare two results frame by frame",
    "ladder": "compare encoders, and find a ladder, from a table of scores",
    "doctor": "check this installation",
}


def _parsers(arguments: Sequence[str] = tuple(_COMMANDS)) -> tuple[Parser, dict[str, Parser]]:
    """The parser of `jaxvqa`, and those of its commands; only what is named is loaded."""
    parser = Parser(
        prog="jaxvqa",
        description="Full-reference video quality: VMAF, SpEED, VIF, FUNQUE and their features.",
        epilog="Example: jaxvqa score reference.mkv distorted.mkv\n"
        "Every command has its own --help.",
    )
    parser.add_argument("--version", action="version", version=f"jaxvqa {jaxvqa.__version__}")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True
    )
    found = {}
    for name, help in _COMMANDS.items():
        if name in arguments:
            found[name] = import_module(f"jaxvqa._cli.{name}").add_parser(commands, help)
        else:
            commands.add_parser(name, help=help)
    return parser, found


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _run(arguments: Sequence[str]) -> int:
    with _without_garbage_collection():  # which would look at every new module again and again
        parser, commands = _parsers(arguments)
    if not arguments:
        parser.print_help()
        return 0
    args, unknown = parser.parse_known_args(with_hyphens(arguments))
    if unknown:
        commands[args.command].refuse(unknown)
    return args.run(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code.

    Args:
        argv: the arguments; those of the process if None.

    Returns:
        0 done, 1 failed for another reason, 2 wrong usage, 3 unreadable input, 4 some jobs of
        a batch failed, 5 a condition is not met, 130 interrupted.
    """
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except SystemExit as finished:  # argparse after --help and --version
        return finished.code if isinstance(finished.code, int) else FAILED
    except BrokenPipeError:
        # whoever read our output has gone; Python must not try to flush it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Exception, KeyboardInterrupt) as error:
        if debugging():
            traceback.print_exc()
        if isinstance(error, KeyboardInterrupt):
            print("jaxvqa: interrupted", file=sys.stderr)
        else:
            print(f"jaxvqa: error: {sentence(error)}", file=sys.stderr)
        return exit_code(error)
