"""SpEED, entropy differences of blocks under a Gaussian model.

plain.py, plain_qa.py    the equations, top to bottom: read these first
speed.py, options.py     libvmaf's `speed_chroma` and `speed_temporal`
qa.py                    SpEED-QA of 2017
entropy.py, spectrum.py  block covariance and entropy, eigenvalues without a library
"""
