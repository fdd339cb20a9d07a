"""From a synthesizer to rows: what it must be, and how many of each class it draws."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdpgmm import DPEmbeddingSynthesizer
from skdpgmm._estimators.training_rows import (
    check_can_sample,
    checked_clone,
    draw_training_rows,
    make_seeds,
    seed_estimator,
)


class Drawer:
    """Draws rows that say their label, of the first class only unless told."""

    def __init__(self, n_classes):
        self.classes_ = np.array([f"class {i:02}" for i in range(n_classes)])
        self.asked = []

    def sample(self, n_samples, y=None, **options):
        self.asked.append((n_samples, options))
        labels = np.repeat(self.classes_[:1], n_samples) if y is None else y
        codes = np.searchsorted(self.classes_, labels)
        return codes[:, None].astype(float), labels


@pytest.mark.parametrize(
    "n_classes, n_samples, least",
    [(3, 100, 10), (3, 12, 4), (40, 100, 2), (40, 5, 1), (1, 5, 5)],
)
def test_every_class_has_rows(n_classes, n_samples, least):
    drawer = Drawer(n_classes)
    rows, labels = draw_training_rows(drawer, n_samples, class_weight="balanced")
    counts = np.bincount(rows[:, 0].astype(int), minlength=n_classes)
    assert counts[0] == n_samples and np.all(counts[1:] == least)
    assert np.all(drawer.classes_[rows[:, 0].astype(int)] == labels)
    assert drawer.asked[0] == (n_samples, {"class_weight": "balanced"})


def sampling(function):
    return type("Made", (), {"sample": function})()


def test_what_cannot_draw_rows_of_labels_is_refused():
    check_can_sample(DPEmbeddingSynthesizer(), "random_state", "class_weight")
    check_can_sample(sampling(lambda self, n, **options: None), "class_weight")
    with pytest.raises(TypeError, match="sample of Made does not take y and extra"):
        check_can_sample(sampling(lambda self, n_samples: None), "extra")


def test_illegal_parameters_are_refused_before_a_fit():
    bad = LogisticRegression(C=-1.0)
    for estimator in (bad, make_pipeline(bad)):
        with pytest.raises(ValueError, match="'C' parameter"):
            checked_clone(estimator, "classifier")
    # What a search makes of its own is not known.
    checked_clone(GridSearchCV(bad, {"C": [1.0]}), "classifier")
    with pytest.raises(TypeError, match="classifier must be an instance"):
        checked_clone(LogisticRegression, "classifier")


class Seeded(BaseEstimator):
    def __init__(self, random_state=None):
        self.random_state = random_state


def test_what_is_not_seeded_gets_a_seed_of_its_own():
    found = []
    for _ in range(2):
        seeds = make_seeds(0)
        pair = Seeded(), Seeded()
        for one in pair:
            seed_estimator(one, seeds)
        found.append([one.random_state for one in pair])
    assert found[0] == found[1] and len(set(found[0])) == 2
    given, none, state = Seeded(5), Seeded(), Seeded()
    seed_estimator(given, make_seeds(0))
    seed_estimator(none, make_seeds(None))
    # Noise does not follow from a RandomState.
    seed_estimator(state, make_seeds(0), as_int=False)
    assert given.random_state == 5 and none.random_state is None
    assert isinstance(state.random_state, np.random.RandomState)
