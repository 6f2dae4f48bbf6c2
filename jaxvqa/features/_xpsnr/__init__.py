"""XPSNR, PSNR whose errors weigh less where the picture is busy or moves.

xpsnr.py     the metric: its options, a frame, a clip, its record
blocks.py    sums over the blocks of a picture, and what an error in each block weighs
"""
