"""Prediction in plain numpy, for the many small models that training makes.

The public prediction is compiled for each number of support vectors, which would take longer than
the fits. Tests hold both to be equal.
"""

from __future__ import annotations

import numpy as np

from jaxvqa.fusion import Linear, Model, Svr

_BLOCK = 4096  # rows at a time: bounds the memory of kernels


def kernel_rows(
    regression: Svr, slopes: np.ndarray, intercepts: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Kernel values of frames and support vectors, `(frames, vectors)`."""
    z = rows * slopes[1:] + intercepts[1:]
    vectors = np.asarray(regression.support_vectors)
    distance = np.zeros((len(z), len(vectors)))
    for column in range(z.shape[1]):
        distance += (z[:, column, None] - vectors[None, :, column]) ** 2
    return np.exp(-float(regression.gamma) * distance)


def predict_rows(model: Model, rows: np.ndarray) -> np.ndarray:
    """Scores of rows of features, `(frames,)`, clipped as the model says; no transform."""
    regression = model.regression
    slopes, intercepts = np.asarray(model.slopes), np.asarray(model.intercepts)
    parts = []
    for begin in range(0, len(rows), _BLOCK):
        block = rows[begin : begin + _BLOCK]
        if isinstance(regression, Svr):
            kernel = kernel_rows(regression, slopes, intercepts, block)
            found = (kernel * np.asarray(regression.coefficients)).sum(1) - float(regression.rho)
        else:
            z = block * slopes[1:] + intercepts[1:]
            if isinstance(regression, Linear):
                found = z @ np.asarray(regression.weights) + float(regression.bias)
            else:
                layers = list(zip(regression.weights, regression.biases, strict=True))
                for i, (weights, bias) in enumerate(layers):
                    z = z @ np.asarray(weights) + np.asarray(bias)
                    z = np.tanh(z) if i < len(layers) - 1 else z
                found = z[:, 0]
        parts.append((found - intercepts[0]) / slopes[0])
    scores = np.concatenate(parts)
    if model.score_clip is not None:
        scores = np.clip(scores, *np.asarray(model.score_clip))
    return scores
