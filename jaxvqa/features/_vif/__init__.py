"""VIF, visual information fidelity.

plain.py         the equations, top to bottom: read this first
float_vif.py     libvmaf's `float_vif`, fast and differentiable
integer_vif.py   libvmaf's `vif`, bit for bit, on the arithmetic of fixed.py
options.py       options and outputs of both
"""
