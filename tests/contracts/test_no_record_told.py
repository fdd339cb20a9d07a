"""What is no row of numbers is refused by every method, and never quoted."""

import traceback
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from private_fits import ESTIMATORS

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 2
SECRETS = ["a secret", "nobody's business"] * 20
ITEMS = {
    "texts": SECRETS,
    "array": np.array(SECRETS),
    "column": pd.DataFrame({"text": SECRETS}),
    "among numbers": pd.DataFrame({"x": X[:, 0], "text": SECRETS}),
    "bytes": [text.encode() for text in SECRETS],
    "images": np.zeros((40, 8, 8, 3), np.uint8),
    "one number each": 7391.5 + np.arange(40.0),
    "paths": [Path("a secret.png")] * 40,
}


@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_texts_and_images_are_told_apart_and_not_quoted(cls, kind):
    fitted = cls(clip_norm=5.0, random_state=0).fit(X, Y)
    calls = [partial(cls(clip_norm=5.0).fit, y=Y)]
    calls += [
        getattr(fitted, name)
        for name in ("predict", "transform", "predict_proba", "score_samples")
        if hasattr(fitted, name)
    ]
    for call in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that were not fitted
            with pytest.raises(
                (TypeError, ValueError), match="by an encoder"
            ) as caught:
                call(ITEMS[kind])
        told = "".join(traceback.format_exception(caught.value))
        for secret in ("secret", "nobody", "7391"):
            assert secret not in told
