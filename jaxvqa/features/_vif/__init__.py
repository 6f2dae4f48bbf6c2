"""Visual information fidelity."""
