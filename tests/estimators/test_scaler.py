"""Private standardisation: what it finds, and what it makes of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer

from skdpgmm import DPStandardScaler
from skdpgmm.exceptions import NoiseDominatedWarning

X = load_breast_cancer(return_X_y=True)[0]


@pytest.mark.parametrize(
    "params", [{}, {"bounds": (X.min(axis=0) - 1.0, X.max(axis=0) + 1.0)}]
)
def test_features_of_many_scales(params):
    scaler = DPStandardScaler(epsilon=20.0, random_state=0, **params).fit(X)
    sd = X.std(axis=0)
    wide = sd > 0.01  # bounds of 1 are wide beside others
    assert np.median(np.abs(np.log2(scaler.scale_ / sd))[wide]) < 1.0
    middle = np.abs(scaler.center_ - np.median(X, axis=0)) / sd
    assert np.median(middle[wide]) < 0.5


def test_rows_there_and_back():
    scaler = DPStandardScaler(clip=2.0, epsilon=20.0, random_state=0).fit(X)
    Z = scaler.transform(X)
    assert np.abs(Z).max() == 2.0
    inside = (np.abs(Z) < 2.0).all(axis=1)
    assert inside.any()
    assert_allclose(scaler.inverse_transform(Z)[inside], X[inside], rtol=1e-9)
    names = scaler.get_feature_names_out()
    assert len(names) == X.shape[1]
    frame = scaler.set_output(transform="pandas").transform(X)
    assert list(frame.columns) == list(names)
    with pytest.raises(ValueError, match="30 features"):
        scaler.inverse_transform(X[:, :2])


@pytest.mark.parametrize("params", [{}, {"clip_norm": 1e4}])
def test_what_noise_hides_is_left_and_said(params):
    with pytest.warns(NoiseDominatedWarning, match="bounds"):
        scaler = DPStandardScaler(epsilon=0.01, random_state=0, **params).fit(X)
    assert (scaler.center_ == 0.0).all() and (scaler.scale_ == 1.0).all()


def test_public_radius_saves_the_magnitudes():
    fitted = DPStandardScaler(clip_norm=1e4, random_state=0).fit(X).privacy_
    names = [entry.name for entry in fitted.ledger]
    assert not [name for name in names if "magnitudes" in name]
