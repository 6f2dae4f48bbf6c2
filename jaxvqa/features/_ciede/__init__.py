"""CIEDE2000, the colour difference.

plain.py     the equations, top to bottom: read this first
ciede.py     libvmaf's `ciede`, fast and differentiable
"""
