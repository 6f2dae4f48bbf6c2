"""ADM, detail loss and additive impairment.

plain.py         the equations, top to bottom: read this first
float_adm.py     libvmaf's `float_adm`, fast and differentiable; its wavelet is daubechies.py
integer_adm.py   libvmaf's `adm`, bit for bit; its wavelet and sums: fixed_wavelet.py, fixed.py
                 and fixed_scales.py (the three coarse scales)
csf.py           contrast sensitivity of both
options.py       options and outputs of both
"""
