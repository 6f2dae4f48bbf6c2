"""CAMBI, visibility of banding.

score.py             the metric: flat areas, five scales, pooling
tables.py            what is known before a picture is seen: visible contrasts, windows, sizes
counts.py            how often nearby codes meet in a window, exactly
gradient.py          the same value with a gradient, for training
counts_slope.py      the slope of the counts
"""
