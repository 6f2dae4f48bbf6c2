"""The parity benchmark itself, on a clip that ships."""

import importlib.util
import sys
from pathlib import Path

import numpy as np

from tests import clips, tolerances


def test_parity_table_of_a_shipped_clip():
    file = Path(__file__).parent.parent / "benchmarks" / "parity.py"
    spec = importlib.util.spec_from_file_location("parity", file)
    parity = importlib.util.module_from_spec(spec)
    sys.modules["parity"] = parity  # dataclasses look their module up there
    spec.loader.exec_module(parity)
    rows = list(parity.compare(clips.DATA / "bunny_320x180_422_10b", "feature:(float_)?motion$"))
    assert {r.run for r in rows} == {"feature:float_motion", "feature:motion"}
    assert all(r.absolute < tolerances.FLOAT_MOTION for r in rows)
    assert all(np.isfinite(r.relative) for r in rows)
    # another program's golden values are not taken for libvmaf's
    assert list(parity.compare(clips.DATA / "bbb_320x180", "")) == []
