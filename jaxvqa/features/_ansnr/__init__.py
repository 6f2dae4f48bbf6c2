"""Signal-to-noise ratio of blurred luma, libvmaf's `float_ansnr`.

plain.py             the equations, top to bottom: read this first
float_ansnr.py       the record and the public function; the same values, faster
"""
