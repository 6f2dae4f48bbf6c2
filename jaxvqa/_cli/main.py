"""The command `jaxvqa`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import jaxvqa
from jaxvqa._cli import doctor, features, models, plot, score
from jaxvqa._cli.errors import FAILED, exit_code, sentence
from jaxvqa._cli.interrupt import debugging
from jaxvqa._cli.parser import Parser, with_hyphens

_COMMANDS = (score, models, features, plot, doctor)


def _parsers() -> tuple[Parser, dict[str, Parser]]:
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
    return parser, {c.NAME: c.add_parser(commands) for c in _COMMANDS}


def _run(arguments: Sequence[str]) -> int:
    parser, commands = _parsers()
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
        0 done, 1 failed for another reason, 2 wrong usage, 3 unreadable input, 130 interrupted.
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
