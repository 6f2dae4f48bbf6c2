"""The process of the command `jaxvqa`, also as `python -m jaxvqa`."""

import gc
import sys

from jaxvqa._cli import interrupt


def run() -> None:
    """Runs the command line of the process and ends it with the exit code."""
    interrupt.listen()
    gc.disable()  # what is imported stays, so collections meanwhile only cost time
    from jaxvqa._cli.main import main  # loads JAX, which takes some time

    gc.freeze()  # nor need the first collection look through it
    gc.enable()

    sys.exit(main())


if __name__ == "__main__":
    run()
