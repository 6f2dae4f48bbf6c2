"""`python -m jaxvqa` is the `jaxvqa` command."""

import sys

from jaxvqa._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
