import re
from pathlib import Path

import jax

TEXT = (Path(__file__).parent.parent / "docs" / "losses.md").read_text()


def test_training_snippet_of_the_docs_learns():
    (code,) = re.findall(r"```python\n(import jax\n.*?)```", TEXT, re.DOTALL)
    names = {}
    with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
        exec(code, names)
    assert abs(float(names["gain"]) - 1) < 0.1
    assert float(names["value"]) < 0.01
