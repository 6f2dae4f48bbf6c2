"""XPSNR of pictures up to HD in float64 numpy, block by block, written from its description."""

import math

import numpy as np


def weights(luma, earlier, bit_depth):
    """By block in raster order, and the side of a block; `earlier` are one or two frames."""
    height, width = luma.shape
    ratio = height * width / (3840 * 2160)
    side = 4 * int(32 * math.sqrt(ratio) + 0.5)
    found = []
    for y in range(0, height, side):
        for x in range(0, width, side):
            bottom, right = min(y + side, height), min(x + side, width)
            texture = []
            for i in range(max(y, 1), min(bottom, height - 1)):
                for j in range(max(x, 1), min(right, width - 1)):
                    around = luma[i - 1 : i + 2, j - 1 : j + 2]
                    cross = around[0, 1] + around[2, 1] + around[1, 0] + around[1, 2]
                    corners = around[::2, ::2].sum()
                    texture.append(abs(12 * around[1, 1] - 2 * cross - corners))
            if not texture:
                found.append(1.0)
                continue
            motion = luma - earlier[0]
            if len(earlier) == 2:
                motion = luma - 2 * earlier[0] + earlier[1]
            moved = np.abs(motion[y:bottom, x:right]).mean()
            found.append(1 / max(np.mean(texture) + 2 * moved, 2.0 ** (bit_depth - 6)))
    across = -(-width // side)
    if height * width <= 640 * 480:
        for k in range(len(found)):
            near = [found[k - 1]] if k % across else []
            near += [found[k + 1]] if (k + 1) % across else []
            near += [found[k - across]] if k >= across else []
            found[k] = min(found[k], max(near))
    scale = math.sqrt(16 * 2.0 ** (2 * bit_depth - 9) / math.sqrt(max(1e-5, ratio)))
    return scale * np.array(found).reshape(-1, across), side


def scores(ref, dis, frame_rate=25, bit_depth=8):
    """`{plane: [by frame]}` of planes Y, Cb and Cr, each `(frames, h, w)`; black before the first.

    Chroma is that of even sizes.
    """
    ref, dis = ([p.astype(np.float64) for p in side] for side in (ref, dis))
    result = {name: [] for name in "yuv"}
    black = np.zeros_like(ref[0][0])
    count = 2 if frame_rate >= 32 else 1
    for n in range(len(ref[0])):
        earlier = [ref[0][n - k] if n >= k else black for k in range(1, count + 1)]
        by_block, side = weights(ref[0][n], earlier, bit_depth)
        for name, r, d in zip("yuv", ref, dis, strict=True):
            squares = (r[n] - d[n]) ** 2
            down, across = (side * p // q for p, q in zip(r[n].shape, ref[0][n].shape, strict=True))
            total = sum(
                squares[i * down : (i + 1) * down, j * across : (j + 1) * across].sum() * w
                for (i, j), w in np.ndenumerate(by_block)
            )
            total = max(math.floor(total + 0.5), 1)
            peak = 2**bit_depth - 1
            result[name].append(10 * math.log10(squares.size * peak**2 / total))
    return result
