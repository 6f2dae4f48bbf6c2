"""VIF, visual information fidelity.

plain.py         the equations, top to bottom: read this first
float_vif.py     libvmaf's `float_vif`, fast and differentiable
integer_vif.py   libvmaf's `vif`, bit for bit; its fixed-point moments and logarithm are in fixed.py
"""
