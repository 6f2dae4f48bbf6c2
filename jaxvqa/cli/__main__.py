"""The process of the command, also as `python -m jaxvqa.cli`."""

import sys

from jaxvqa.cli import interrupt


def run() -> None:
    """Runs the command line of the process and ends it with the exit code."""
    interrupt.listen()
    from jaxvqa.cli.main import main  # loads JAX, which takes long enough to be interrupted

    sys.exit(main())


if __name__ == "__main__":
    run()
