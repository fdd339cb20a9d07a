"""Public rows and unit norms: what they change, and that they cost what is said."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simple_rows import rows_about

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression


@pytest.mark.parametrize("cls", [DPEmbeddingSynthesizer, DPLogisticRegression])
def test_public_rows_that_are_all_the_same(cls):
    X, y = rows_about(np.zeros(40), 300, 0)
    estimator = cls(X_public=np.ones((5, 40)), random_state=0).fit(X, y)
    released = getattr(estimator, "means_", getattr(estimator, "coef_", None))
    assert np.isfinite(released).all()


def test_public_rows_draw_the_centre():
    center = np.full(60, 100.0)
    X, y = rows_about(center, 400, 0)
    X_public, _ = rows_about(center, 400, 1)
    errors = []
    for rows in (None, X_public):
        synthesizer = DPEmbeddingSynthesizer(X_public=rows, random_state=0).fit(X, y)
        middle = synthesizer.weights_ @ synthesizer.means_
        errors.append(np.linalg.norm(middle - X.mean(axis=0)))
    # Their mean is off by sampling alone; without them noise is all there is.
    assert errors[1] < 2.0 * np.sqrt(60 / 400) + 1.0 < errors[0]


@pytest.mark.parametrize("cls", [DPEmbeddingSynthesizer, DPLogisticRegression])
def test_public_rows_are_free(cls):
    X, y = rows_about(np.zeros(40), 300, 0)
    ledgers = [
        cls(X_public=rows, random_state=0).fit(X, y).privacy_.ledger
        for rows in (None, X[:50] + 1.0)
    ]
    names = [[entry.name.split()[0] for entry in ledger] for ledger in ledgers]
    assert set(names[0]) == set(names[1])
    spent = [sum(entry.mu**2 for entry in ledger) for ledger in ledgers]
    assert_allclose(spent[0], spent[1], rtol=1e-6)


def unit_rows(n, d, seed):
    X, y = rows_about(np.full(d, 0.5), n, seed)
    return X / np.linalg.norm(X, axis=1, keepdims=True), y


@pytest.mark.parametrize("label_model", [True, False])
@pytest.mark.parametrize("labelled", [True, False])
def test_rows_of_norm_one_give_rows_of_norm_one(label_model, labelled):
    X, y = unit_rows(8000, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(
        label_model=label_model and labelled, random_state=0
    )
    synthesizer.fit(X, y if labelled else None)
    assert synthesizer.normalize_ is True
    rows, labels = synthesizer.sample(500)
    assert_allclose(np.linalg.norm(rows, axis=1), 1.0)
    if label_model and labelled:
        scores = synthesizer.label_model_.scores(rows)
        likeliest = np.mean(scores.argmax(axis=1) == labels)
        assert likeliest > 1.0 - synthesizer.label_model_.drawn / 2.0


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, np.inf])
@pytest.mark.parametrize("scale", [0.9, 1.0 + 2.0**-8])
def test_other_rows_are_left_as_they_are(epsilon, scale):
    X, y = unit_rows(8000, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(epsilon=epsilon, random_state=0)
    assert synthesizer.fit(scale * X, y).normalize_ is False


@pytest.mark.parametrize(("normalize", "scale"), [(True, "auto"), (False, None)])
def test_normalize_as_given_costs_nothing(normalize, scale):
    X, y = unit_rows(500, 40, 0)
    synthesizer = DPEmbeddingSynthesizer(
        normalize=normalize, scale=scale, random_state=0
    ).fit(X, y)
    assert synthesizer.normalize_ is normalize
    names = [entry.name for entry in synthesizer.privacy_.ledger]
    assert not [name for name in names if name.startswith("unit norms")]
    norms = np.linalg.norm(synthesizer.sample(200)[0], axis=1)
    assert np.allclose(norms, 1.0) is normalize
