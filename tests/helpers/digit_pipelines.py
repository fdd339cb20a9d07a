"""Private pipelines for digits, a step that fails, and a callback that looks on."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits

from skdpgmm import DPPCA, DPLogisticRegression, PrivatePipeline

X, Y = load_digits(return_X_y=True)


def pipeline_of(last=None, *before, epsilon=8.0, **params):
    last = DPLogisticRegression() if last is None else last
    steps = [*before, ("pca", DPPCA(8)), ("last", last)]
    return PrivatePipeline(steps, epsilon=epsilon, **params)


class Failing(TransformerMixin, BaseEstimator):
    """Learns nothing, and fails."""

    def fit(self, X, y=None):
        raise RuntimeError("enough")

    def transform(self, X):
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class Recorder:
    """Asks for all that a hook can get."""

    def __init__(self):
        self.tasks, self.given = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, X, y):
        self.tasks.append(context.task_name)
        self.given += [X, y]

    def on_fit_task_end(self, estimator, context, *, X, y):
        self.given += [X, y]
