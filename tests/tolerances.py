"""Every tolerance of the test suite, with its reason. Absolute unless the name says otherwise."""

# float32 sums of the reference tool against ours; specification of the parity table
FLOAT_MOTION = 5e-5
