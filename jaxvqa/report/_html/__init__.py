"""One page to look at, of results or of a table of scored videos.

`_page.py` is the frame; `_results.py` and `_table.py` fill it. `assets/` holds styles and scripts,
and uPlot 1.6.32 with its licence, which draws the charts.
"""
