"""Steps with their budgets: who gets what, and what is refused."""

import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    PrivatePipeline,
)
from skdpgmm._estimators.pipeline_steps import (
    Asked,
    check_undoes,
    is_private,
    is_there,
    look_before,
    planned,
    refuse_mixing,
    width_after,
    with_budgets,
)
from skdpgmm.privacy import compose_mu, mu_from_epsilon

TWO = [("pca", DPPCA(2, epsilon=9.0)), ("last", DPLogisticRegression(delta=0.1))]
X = np.random.default_rng(0).standard_normal((60, 3))
Y = np.arange(60) % 2


def mus(steps):
    return [mu_from_epsilon(s.epsilon, s.delta) for _, s in steps if is_private(s)]


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("shares", ["auto", {"pca": 0.5, "last": 0.5}])
def test_budgets_add_up_to_the_whole_and_never_beyond(epsilon, shares):
    asked = Asked(epsilon, 1e-6, shares)
    found = mus(with_budgets(TWO, asked))
    assert compose_mu(found) <= asked.mu
    assert compose_mu(found) == pytest.approx(asked.mu, rel=1e-9)
    first = 0.2 if shares == "auto" else 0.5
    assert found[0] == pytest.approx(math.sqrt(first) * asked.mu, rel=1e-9)


def test_the_steps_of_the_caller_stay_as_they_are():
    steps = [("nothing", "passthrough"), ("norm", Normalizer()), *TWO]
    found = with_budgets(steps, Asked(1.0, 1e-5, "auto"))
    assert [name for name, _ in found] == [name for name, _ in steps]
    assert steps[2][1].epsilon == 9.0 and steps[3][1].delta == 0.1
    assert found[0][1] == "passthrough" and found[1][1] is not steps[1][1]
    assert all(step.delta == 1e-5 for _, step in found[2:])


def test_what_shares_leave_is_not_spent_and_infinity_is():
    found = mus(with_budgets(TWO, Asked(1.0, 1e-5, {"pca": 0.1, "last": 0.2})))
    assert compose_mu(found) == pytest.approx(
        math.sqrt(0.3) * mu_from_epsilon(1.0, 1e-5)
    )
    assert mus(with_budgets(TWO, Asked(math.inf, 1e-5, "auto"))) == [math.inf] * 2


def test_a_lonely_step_has_all_and_three_share_what_is_before():
    (one,) = mus(with_budgets(TWO[:1], Asked(1.0, 1e-5, "auto")))
    assert one == pytest.approx(mu_from_epsilon(1.0, 1e-5))
    three = with_budgets([("a", DPPCA(2)), *TWO], Asked(1.0, 1e-5, "auto"))
    assert mus(three)[0] == pytest.approx(mus(three)[1])


@pytest.mark.parametrize("synthesizer", [None, DPEmbeddingSynthesizer(epsilon=3.0)])
def test_a_wrapper_gives_the_budget_to_its_synthesizer(synthesizer):
    wrapper = DPSyntheticClassifier(synthesizer)
    ((_, found),) = with_budgets([("rows", wrapper)], Asked(0.5, 1e-5, "auto"))
    assert found.synthesizer.epsilon == pytest.approx(0.5)
    assert wrapper.synthesizer is synthesizer


REFUSED = [
    ([("scale", StandardScaler()), *TWO], "auto", "'scale' .StandardScaler. learns"),
    ([("norm", Normalizer())], "auto", "must have a private estimator"),
    (
        [("inner", PrivatePipeline(TWO)), *TWO],
        "auto",
        "'inner' .PrivatePipeline. has private estimators inside",
    ),
    (
        [("columns", ColumnTransformer([("pca", DPPCA(2), [0, 1])])), *TWO],
        "auto",
        "'columns' .ColumnTransformer. has private estimators inside",
    ),
    (
        [("pca", DPPCA(2, adjacency="replace-one")), TWO[1]],
        "auto",
        "adjacency must be the same in all private steps, got 'replace-one' in 'pca'",
    ),
    (
        [("pca", DPPCA(2, max_contributions=2)), TWO[1]],
        "auto",
        "max_contributions must be the same in all private steps",
    ),
    (TWO, {"pca": 1.0}, "shares must have one for each private step"),
    (TWO, {"pca": 0.5, "last": 0.3, "more": 0.2}, "one for each private step"),
    (TWO, {"pca": 0.5, "last": 0.6}, "add up to at most 1"),
    (TWO, {"pca": 0.0, "last": 0.6}, "must be positive numbers"),
    (TWO, {"pca": -0.1, "last": 0.6}, "must be positive numbers"),
    (TWO, {"pca": "half", "last": 0.6}, "must be positive numbers"),
    (TWO, {"pca": float("nan"), "last": 0.6}, "must be positive numbers"),
    (TWO, {"pca": 1e-12, "last": 0.6}, "leave too little to step 'pca'"),
    ([("pca", DPPCA("many")), TWO[1]], "auto", "n_components.*'many'"),
]


@pytest.mark.parametrize("steps, shares, message", REFUSED)
def test_what_is_refused_before_anything_is_spent(steps, shares, message):
    with pytest.raises(ValueError, match=message):
        with_budgets(steps, Asked(1.0, 1e-5, shares))


class Plain(DPGaussianMixture):
    """A synthesizer without a budget."""

    def get_params(self, deep=True):
        return {k: v for k, v in super().get_params(deep).items() if k != "delta"}


def test_a_synthesizer_without_a_budget_is_refused():
    steps = [("rows", DPSyntheticClassifier(Plain()))]
    with pytest.raises(ValueError, match="step 'rows' must have the parameters delta"):
        with_budgets(steps, Asked(1.0, 1e-5, "auto"))


def test_what_a_later_step_would_refuse():
    steps = with_budgets(TWO, Asked(1.0, 1e-5, "auto"))
    look_before(steps, X, Y, None)
    for y, message in [(None, "requires y"), (Y[:9], "y must have 60 labels")]:
        with pytest.raises(ValueError, match=message):
            look_before(steps, X, y, None)
    with pytest.raises(ValueError, match="privacy_ids"):
        look_before(steps, X, Y, np.zeros(3))


def test_functions_of_one_row_and_of_all():
    refuse_mixing("f", FunctionTransformer(np.abs), 3)
    refuse_mixing("f", Normalizer(), 3)
    # Not judged: it takes no array.
    refuse_mixing("f", FunctionTransformer(lambda X: X["name"]), 3)
    refuse_mixing("f", FunctionTransformer(lambda X: X - X.mean(axis=0)), None)
    for mixing in (lambda X: X - X.mean(axis=0), lambda X: X[:1], np.sort):
        mixed = FunctionTransformer(mixing)
        if mixing is np.sort:  # within rows
            refuse_mixing("f", mixed, 3)
            continue
        with pytest.raises(ValueError, match=r"'f' .FunctionTransformer. must treat"):
            refuse_mixing("f", mixed, 3)


def test_the_way_back():
    check_undoes("f", FunctionTransformer(np.exp, np.log))
    check_undoes("f", FunctionTransformer())
    for step in (Normalizer(), FunctionTransformer(np.exp)):
        with pytest.raises(ValueError, match=f"'f' .{type(step).__name__}., which has"):
            check_undoes("f", step)


def test_the_number_of_features_goes_through_steps():
    assert planned(DPPCA(2), 1000, 5, 3, last=False)[1] == 2
    assert planned(DPKMeans(4), 1000, 5, None, last=False)[1] == 4
    assert planned(DPKMeans(4), 1000, 5, None, last=True)[1] is None
    assert planned(DPSyntheticClassifier(), 1000, 5, 3, last=True)[1] is None
    assert width_after("norm", Normalizer(), 5) == 5
    half = FunctionTransformer(lambda X: X[:, ::2])
    assert width_after("half", clone(half), 5) == 3
    for n_components in ("auto", 0.9):
        with pytest.raises(ValueError, match="n_components of DPPCA must be a number"):
            planned(DPPCA(n_components), 1000, 5, None, last=False)
    with pytest.raises(ValueError, match=r"'f' .FunctionTransformer. does not take"):
        width_after("f", FunctionTransformer(lambda X: X["name"]), 5)


def test_what_is_there():
    assert not is_there(None) and not is_there("passthrough")
    assert is_there(Normalizer()) and not is_private(Normalizer())


@pytest.mark.parametrize("step", [DPKMeans(2), DPEmbeddingSynthesizer(2)])
def test_private_steps_whose_rows_depend_on_others_must_be_the_last(step):
    steps = [("first", step), ("last", DPLogisticRegression())]
    with pytest.raises(ValueError, match=r"step 'first' .* must be the last"):
        PrivatePipeline(steps).fit(X, Y)
    PrivatePipeline([("pca", DPPCA(2)), ("last", clone(step))], epsilon=50.0).fit(X)
