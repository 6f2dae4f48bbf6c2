"""Fusion: from per-frame features to a score, and the model files that say how.

Names are imported from the modules themselves: `model` (the pytrees), `svr` and `bootstrap` (pure
prediction), `frames` (prediction on the host in float64), `registry` (models by name or path),
`own_json` and `libvmaf_json` (the two file formats), `request` (libvmaf's `--model` syntax).
"""
