"""CIEDE2000, the colour difference.

plain.py     the equations, top to bottom: read this first
lab.py       from codes to CIELAB, in the tool's precision
ciede.py     libvmaf's `ciede`, fast and differentiable
"""
