"""Signal-to-noise ratio of blurred luma, libvmaf's `float_ansnr`.

plain.py             the equations, top to bottom: read this first
float_ansnr.py       the record and the public function; the same values, faster
codes.py             powers of whole codes, rounded and added as the tool does
"""
