"""From private records to synthetic rows that any model may be trained on."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skdpgmm._synthesizer import DPEmbeddingSynthesizer

# Rows of each class, however rare: a classifier cannot learn one that it never saw.
_LEAST_ROWS = 10


def make_seeds(random_state):
    """Return a source of seeds, or None where nothing is to be seeded."""
    return None if random_state is None else check_random_state(random_state)


def seed_estimator(estimator, seeds):
    """Seed an estimator that is not seeded yet."""
    params = estimator.get_params(deep=False)
    if seeds is not None and "random_state" in params:
        if params["random_state"] is None:
            estimator.set_params(random_state=seeds.randint(2**31 - 1))


def fit_synthesizer(estimator, X, y, groups, seeds):
    """Return a fitted clone of the synthesizer of `estimator`; None is the default."""
    synthesizer = estimator.synthesizer
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    new = DPEmbeddingSynthesizer() if synthesizer is None else clone(synthesizer)
    seed_estimator(new, seeds)
    given = {} if groups is None else {"groups": groups}
    root = estimator._init_callback_context(max_subtasks=1)
    root.call_on_fit_task_begin(estimator=estimator)
    task = root.subcontext(task_name="synthesizer")
    task.call_on_fit_task_begin(estimator=estimator)
    with task.propagate_callback_context(new):
        new.fit(X, y, **given)
    task.call_on_fit_task_end(estimator=estimator)
    root.call_on_fit_task_end(estimator=estimator)
    return new


def draw_training_rows(synthesizer, n_samples, **options):
    """Draw rows and labels, a few of each class at least."""
    rows, labels = synthesizer.sample(n_samples, **options)
    counts = (labels[:, None] == synthesizer.classes_).sum(axis=0)
    missing = np.repeat(synthesizer.classes_, np.maximum(_LEAST_ROWS - counts, 0))
    if len(missing):
        more = synthesizer.sample(len(missing), y=missing)
        rows = np.concatenate([rows, more[0]])
        labels = np.concatenate([labels, more[1]])
    return rows, labels


def copy_features_in(synthesizer, estimator):
    """Give `estimator` the names and number of features of the synthesizer."""
    estimator.n_features_in_ = synthesizer.n_features_in_
    if hasattr(synthesizer, "feature_names_in_"):
        estimator.feature_names_in_ = synthesizer.feature_names_in_
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
