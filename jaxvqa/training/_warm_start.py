"""Training that begins at a model: its support vectors stay, their coefficients change.

The score of a clip, as the mean over its frames, is linear in the coefficients. So the fit is a
ridge regression towards the model's own coefficients, and it fits what is scored: the mean of the
frames' predictions, not the prediction of mean features.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxvqa.fusion import Model, Svr
from jaxvqa.fusion._model import AnyModel, Collection
from jaxvqa.training._data import TrainingData
from jaxvqa.training._predict import kernel_rows


class WarmStart:
    """A model to start from.

    Args:
        model: with a support vector regression; of a collection the main model.
        data: the clips that it is fitted to.

    Raises:
        ValueError: another regression, chroma correction, or other features than the clips have.
    """

    def __init__(self, model: AnyModel, data: TrainingData) -> None:
        single = model.main if isinstance(model, Collection) else model
        if not isinstance(single.regression, Svr):
            raise ValueError(f"model {single.name} is no support vector regression to start from.")
        if single.chroma_correction_parameter is not None:
            raise ValueError(
                f"model {single.name} corrects chroma frame by frame and can't be started from: "
                "start from a VMAF v0 model."
            )
        if single.features != data.features:
            raise ValueError(f"the clips do not have the features of model {single.name}.")
        self.model = single
        self._regression = single.regression
        slopes, intercepts = np.asarray(single.slopes), np.asarray(single.intercepts)
        kernels = [kernel_rows(self._regression, slopes, intercepts, rows) for rows in data.frames]
        self._rows = np.stack([rows.mean(0) for rows in kernels])

    def some(self, rows: np.ndarray) -> WarmStart:
        """The same start for some of the clips."""
        part = object.__new__(WarmStart)
        part.model, part._regression = self.model, self._regression
        part._rows = self._rows[rows]
        return part

    def predict(self, model: Model, rows: np.ndarray) -> np.ndarray:
        """Mean scores, before any clip, of some of the clips by a model that began here."""
        regression = model.regression
        assert isinstance(regression, Svr)
        raw = self._rows[rows] @ np.asarray(regression.coefficients) - float(regression.rho)
        return (raw - float(model.intercepts[0])) / float(model.slopes[0])

    def fit(self, data: TrainingData, drawn: np.ndarray, penalty: float) -> Model:
        """The model with coefficients for some clips.

        Args:
            data: the clips.
            drawn: which of them count, and how often.
            penalty: what a change of the coefficients costs, in units of the mean squared error;
                large keeps the model but for a straight line from its scores to the ratings.
        """
        model, regression = self.model, self._regression
        first = np.asarray(regression.coefficients)
        raw = self._rows @ first - float(regression.rho)
        stock = (raw - float(model.intercepts[0])) / float(model.slopes[0])
        # the ratings' unit: a straight line through all clips
        line = np.polynomial.polynomial.polyfit(stock, data.ratings, 1)
        level, slope = float(line[0]), float(line[1])
        if slope == 0 or not np.isfinite(slope):
            raise ValueError(f"model {model.name} gives all clips one score: start from another.")
        slopes, intercepts = np.array(model.slopes), np.array(model.intercepts)
        scale = float(slopes[0]) / slope
        intercepts[0] = float(intercepts[0]) - level * scale
        slopes[0] = scale
        y = data.ratings * slopes[0] + intercepts[0]
        x, target = self._rows[drawn], (y - raw)[drawn]
        centre, shift = x.mean(0), target.mean()
        x = x - centre
        # the dual form: there are fewer clips than support vectors
        gram = x @ x.T + penalty * len(x) * np.eye(len(x))
        change = x.T @ np.linalg.solve(gram, target - shift)
        return replace(
            model,
            regression=replace(
                regression,
                coefficients=first + change,
                rho=np.float64(float(regression.rho) - (shift - centre @ change)),
            ),
            slopes=slopes,
            intercepts=intercepts,
            norm_type="linear_rescale",
            score_clip=None,
            score_transform=None,
        )
