"""PSNR-HVS-M, the signal to noise ratio as the eye weighs it.

plain.py      the equations on one plane, top to bottom: read this first; losses compute with it
psnr_hvs.py   libvmaf's `psnr_hvs` on whole codes, fast
dct.py        the transform of both, in integer steps
tables.py     how well the eye sees each frequency
"""
