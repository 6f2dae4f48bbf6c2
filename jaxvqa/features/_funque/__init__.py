"""The FUNQUE family: quality features fused on one Haar transform."""
