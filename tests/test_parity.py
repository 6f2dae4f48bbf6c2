"""The parity benchmark itself, on a clip that ships."""

import numpy as np

from tests import clips, scripts, tolerances


def test_parity_table_of_a_shipped_clip():
    parity = scripts.load("parity")
    rows = list(parity.compare(clips.DATA / "bunny_320x180_422_10b", "feature:(float_)?motion$"))
    assert {r.run for r in rows} == {"feature:float_motion", "feature:motion"}
    assert all(r.absolute < tolerances.FLOAT_MOTION for r in rows)
    assert all(np.isfinite(r.relative) for r in rows)
    # another program's golden values are not taken for libvmaf's
    assert list(parity.compare(clips.DATA / "bbb_320x180", "")) == []
