"""`python -m jaxvqa.cli`, where the `jaxvqa` script is not on the path."""

import sys

from jaxvqa.cli.main import main

sys.exit(main())
