"""Motion: how much the reference changes from frame to frame.

plain.py             the equations, top to bottom: read this first
float_motion.py      libvmaf's `float_motion`
integer_motion.py    libvmaf's `motion`, bit for bit
"""
