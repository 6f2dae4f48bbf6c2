"""The process of the command `jaxvqa`, also as `python -m jaxvqa`."""

import sys

from jaxvqa._cli import interrupt


def run() -> None:
    """Runs the command line of the process and ends it with the exit code."""
    interrupt.listen()
    from jaxvqa._cli.main import main

    sys.exit(main())


if __name__ == "__main__":
    run()
