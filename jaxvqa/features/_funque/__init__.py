"""The FUNQUE family: one Haar pyramid serves all features of a set.

plain.py, plain_atoms.py, plain_transform.py    the equations, top to bottom: read these first
functions.py     the public functions
sets.py          the sets: which transform, which atoms, under which names
transform.py     planes to pyramids (sast.py halves, csf.py weights, haar.py transforms)
atoms.py, dlm.py, information.py    structure and sharpness, detail loss, VIF and ST-RRED
st_rred.py       ST-RRED on Haar details as a metric of its own
"""
