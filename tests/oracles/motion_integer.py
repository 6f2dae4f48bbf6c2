"""libvmaf's integer motion in 64-bit numpy and plain Python, written from the description."""

import numpy as np

from tests.oracles.vif_integer import correlated, rounded

TAPS = [3571, 16004, 26386, 16004, 3571]


def sad(older, newer, bit_depth):
    """Mean absolute blurred difference of two frames, in 8-bit code values."""
    change = older.astype(np.int64) - newer.astype(np.int64)
    vertical = rounded(correlated(change, TAPS, 0), bit_depth)
    blurred = rounded(correlated(vertical, TAPS, 1), 16)
    return int(np.abs(blurred).sum()) / 256.0 / change.size


def motion(frames, bit_depth, *, weight=1.0, top=10000.0, factor=1.0, offset=40.0, five=False,
           average=False, zero=False):  # fmt: skip
    """All outputs by name, one frame after the other, in double precision."""
    start, count = (2 if five else 1), len(frames)

    def difference(i):
        if i < start or zero:
            return 0.0
        return min(sad(frames[i - start], frames[i], bit_depth) * weight, top)

    def blend(v):
        return min(v * factor + (1 - factor) * min(offset, v), top)

    scores = [difference(i) for i in range(count)]
    stamp = blend(scores[start]) if count > start else 0.0
    least, blended, previous = [], [], stamp
    for i in range(count):
        if i < start:
            least.append(0.0)
            blended.append(stamp)
            continue
        earlier = i - 1 if five else i
        if i == count - 1:
            value = scores[i]
        elif earlier >= start:
            value = min(scores[earlier], scores[i + 1])
        else:
            value = scores[i + 1]
        current = blend(value)
        least.append(value)
        blended.append((current + previous) / 2 if average else current)
        previous = current
    return {
        "VMAF_integer_feature_motion_sad_score": np.array(scores),
        "integer_motion": np.array(scores),
        "integer_motion2": np.array(least),
        "integer_motion3": np.array(blended),
    }
