"""PSNR-HVS-M in numpy, block by block, written from its description."""

import numpy as np

PERMUTED = ["t0", "t4", "t2", "t6", "t7", "t3", "t5", "t1"]
# target, sign, source, factor, bits: the rotations, in order
EVEN = [(0, -1, 4, 13573, 15), (4, 1, 0, 11585, 14), (0, -1, 4, 13573, 15)]
EVEN += [(6, -1, 2, 21895, 15), (2, 1, 6, 15137, 14), (6, -1, 2, 21895, 15)]
ODD = [(3, 1, 5, 19195, 15), (5, 1, 3, 11585, 14), (3, -1, 5, 7489, 13)]
LAST = [(7, 1, 1, 3227, 15), (1, -1, 7, 6393, 15), (7, 1, 1, 3227, 15)]
LAST += [(5, 1, 3, 2485, 13), (3, -1, 5, 18205, 15), (5, 1, 3, 2485, 13)]


def halved(a):
    return (a + (1 if a < 0 else 0)) >> 1


def rotate(t, steps):
    for target, sign, source, factor, bits in steps:
        t[target] += sign * ((t[source] * factor + (1 << (bits - 1))) >> bits)


def dct8(x):
    """Eight integers to eight."""
    t = [0] * 8
    for name, value in zip(PERMUTED, x, strict=True):
        t[int(name[1])] = int(value)
    t[1] = t[0] - t[1]
    p = halved(t[1])
    t[0] -= p
    t[4] += t[5]
    q = halved(t[4])
    t[5] -= q
    t[3] = t[2] - t[3]
    t[2] -= halved(t[3])
    t[6] += t[7]
    r = halved(t[6])
    t[7] = r - t[7]
    t[0] += r
    t[6] = t[0] - t[6]
    t[2] = q - t[2]
    t[4] = t[2] - t[4]
    rotate(t, EVEN)
    rotate(t, ODD)
    t[7] = halved(t[5]) - t[7]
    t[5] -= t[7]
    t[3] = p - t[3]
    t[1] -= t[3]
    rotate(t, LAST)
    return t


def dct(block):
    columns = np.array([dct8(column) for column in block.T]).T
    return np.array([dct8(row) for row in columns])


def masking(block, coefs, mask):
    x = block.astype(np.float64)
    total = ((x - x.mean()) ** 2).sum() * 64 / 63
    quarters = [x[:4, :4], x[4:, :4], x[:4, 4:], x[4:, 4:]]
    inside = sum(((q - q.mean()) ** 2).sum() * 16 / 15 for q in quarters)
    energy = (coefs**2 * mask).sum() - coefs[0, 0] ** 2 * mask[0, 0]
    return np.sqrt(inside / total * energy) / 32 if total > 0 else 0.0


def plane_error(ref, dis, csf, bit_depth=8):
    """Mean squared visible error of one plane of codes."""
    mask = (0.3885746225901003 * csf) ** 2
    errors = []
    for y in range(0, ref.shape[0] - 7, 7):
        for x in range(0, ref.shape[1] - 7, 7):
            blocks = [p[y : y + 8, x : x + 8] for p in (ref, dis)]
            coefs = [dct(b).astype(np.float64) for b in blocks]
            t = max(masking(b, c, mask) for b, c in zip(blocks, coefs, strict=True))
            error = np.abs(coefs[0] - coefs[1])
            seen = np.maximum(error - t / mask, 0)
            seen[0, 0] = error[0, 0]
            errors.append((seen * csf) ** 2)
    return np.mean(errors) / (2**bit_depth - 1) ** 2
