"""Measure what can be made of finished models without training: stacking, mixing, calibrating.

    python benchmarks/afterwards.py fer2013.zip --votes fer2013new.csv \
        --out results/afterwards/shipped.json

Choices are made on PublicTest: the regression is judged in five folds of it, the mixtures on it;
calibrations are fitted on it and judged on PrivateTest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from mien.data.readers import read_dataset
from mien.data.votes import join_votes
from mien.evaluation.consistency import consistency
from mien.evaluation.metrics import (
    accuracy,
    brier,
    expected_calibration_error,
    negative_log_likelihood,
)
from mien.evaluation.model_predictions import file_predictions
from mien.evaluation.predictions import Predictions
from mien.files import write_json
from mien.inference.classifier import Classifier
from mien.inference.zoo import shipped_models

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Inverse regularisation of the regression, as scikit-learn's C."""

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)

Calibration = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Turns logits (N, C) into probabilities, by parameters."""

CALIBRATIONS: dict[str, tuple[Calibration, Callable[[int], int], Any]] = {
    "temperature, by likelihood": (
        lambda logits, x: softmax(logits / np.exp(x[0]), axis=1),
        lambda classes: 1,
        negative_log_likelihood,
    ),
    "temperature, by Brier score": (
        lambda logits, x: softmax(logits / np.exp(x[0]), axis=1),
        lambda classes: 1,
        brier,
    ),
    "temperature and a share of uniform probability": (
        lambda logits, x: (
            (1 - expit(x[1] - 4)) * softmax(logits / np.exp(x[0]), axis=1)
            + expit(x[1] - 4) / logits.shape[1]
        ),
        lambda classes: 2,
        negative_log_likelihood,
    ),
    "temperature and a bias a class": (
        lambda logits, x: softmax(logits / np.exp(x[0]) + np.append(0, x[1:]), axis=1),
        lambda classes: classes,
        negative_log_likelihood,
    ),
}


def calibrations(table: Predictions) -> dict[str, Any]:
    """Fit each calibration on val; return its errors on test, and what chance alone would make."""
    val, test = table.judged("val"), table.judged("test")
    found: dict[str, Any] = {}
    for name, (calibrated, parameters, loss) in CALIBRATIONS.items():
        start = np.zeros(parameters(table.logits.shape[1]))
        fitted = minimize(
            lambda x, c=calibrated, f=loss: f(val.truth, c(val.logits, x)),
            start,
            method="Nelder-Mead" if len(start) < 3 else None,
        ).x
        shares = calibrated(test.logits, fitted)
        chance = consistency(shares)
        found[name] = {
            "parameters": fitted.tolist(),
            "ece on val": expected_calibration_error(val.truth, calibrated(val.logits, fitted)),
            "ece": expected_calibration_error(test.truth, shares),
            "nll": negative_log_likelihood(test.truth, shares),
            "accuracy": accuracy(test.truth, shares),
            "ece if calibrated": [chance.mean, chance.high],
        }
    return found


def stacked(tables: dict[str, Predictions]) -> dict[str, float]:
    """Return the accuracy of FER2013's label from its own output, and from both by regression."""
    own = tables["basic7"]
    val = (own.splits == "val") & (own.truth >= 0)
    columns = [np.log(t.probabilities[val] + 1e-12) for t in tables.values()]
    inputs, truth = np.concatenate(columns, axis=1), own.truth[val]
    found = {"own output": accuracy(truth, own.probabilities[val])}
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=2000)
        decided = cross_val_predict(model, inputs, truth, cv=5)
        found[f"both, C = {strength}"] = float((decided == truth).mean())
    return found


def mixed(large: Predictions, tiny: Predictions) -> dict[str, float]:
    """Return the accuracy on val of the large model with shares of the tiny one."""
    first, second = large.judged("val"), tiny.judged("val")
    return {
        str(share): accuracy(
            first.truth, (1 - share) * first.probabilities + share * second.probabilities
        )
        for share in SHARES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fer2013", type=Path)
    parser.add_argument("--votes", type=Path, required=True, help="fer2013new.csv")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    dataset = join_votes(read_dataset(options.fer2013), options.votes)
    said: dict[str, dict[str, Predictions]] = {}
    for name in shipped_models():
        tables = file_predictions(Classifier(name), dataset, progress=True)
        said[name] = {table.labels.name: table for table in tables}
    found = {
        "calibration": {m: {h: calibrations(t) for h, t in said[m].items()} for m in said},
        "stacking": {model: stacked(said[model]) for model in said},
        "mixing": {h: mixed(t, said["mien-tiny"][h]) for h, t in said["mien-large"].items()},
    }
    Console().print_json(data=found)
    if options.out:
        write_json(options.out, found)


if __name__ == "__main__":
    main()
