"""CAMBI, visibility of banding.

score.py             the metric: flat areas, five scales, pooling
tables.py            what is known before a picture is seen: visible contrasts, windows, sizes
sheet.py             the pictures of the five scales on one
counts.py            how often nearby codes meet in a window, exactly
sliding.py           the same on CPUs, by histograms of columns
gradient.py          the same value with a gradient, for training
counts_slope.py      the slope of the counts
tiles.py             small tiles, and the codes that occur in one
"""
