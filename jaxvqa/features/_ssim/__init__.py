"""SSIM, structural similarity, at one scale and at five.

plain.py           the equations, top to bottom: read this first
float_ssim.py      libvmaf's `float_ssim`, fast and differentiable
float_ms_ssim.py   libvmaf's `float_ms_ssim`, the same
similarity.py      the comparison around each sample that both make, of float frames
codes.py           the same of whole codes, with every rounding of the tool
downsampling.py    low-pass and decimation before and between scales
options.py         options of both
"""
