"""What "auto" stands for, by noisy counts."""

import numpy as np

from skdpgmm import (
    DPGaussianMixture,
)
from skdpgmm._algorithms.choices import (
    N_RANDOM_FEATURES,
    affordable_shapes,
    covariance_type,
    n_components,
    n_passes,
    n_random_features,
    relative_noise,
)
from skdpgmm._algorithms.mixture import UNKNOWN
from skdpgmm._estimates.spectrum import Spikes
from skdpgmm._models.covariances import Full


def test_auto_passes_need_records():
    def auto(mu, n, start=UNKNOWN):
        return n_passes(Full(), 5, 10, mu, n, start).value

    assert auto(1.0, 100.0) == 0
    assert auto(1.0, 100.0, UNKNOWN._replace(weights=np.full(10, 0.1))) == 1
    assert auto(1.0, 1e9) == 4
    assert auto(np.inf, 100.0) == 100
    passes = [auto(1.0, n) for n in np.geomspace(1e2, 1e6, 50)]
    assert passes == sorted(passes)
    assert {1, 2, 3} <= set(passes)


def test_the_number_of_passes_is_a_function_of_the_noisy_count():
    X = np.random.default_rng(0).standard_normal((20_000, 2))
    assert DPGaussianMixture(2, random_state=0).fit(X).n_iter_ == 4
    assert DPGaussianMixture(2, random_state=0).fit(X[:60]).n_iter_ == 0


def test_a_label_model_keeps_one_shape_longer():
    # 3,000 records of each class know a covariance to about a fifth
    assert 0.1 < relative_noise(3_000.0, 40, 1.0) < 1 / 3
    numbers = dict(n_classes=2, k=1, n_features=40, mu=1.0)
    assert covariance_type(6_000.0, **numbers, label_model=False).value == "full"
    assert covariance_type(6_000.0, **numbers, label_model="auto").value == "tied"
    assert covariance_type(500.0, **numbers, label_model=False).value == "tied"


def test_shapes_of_many_features_need_directions_that_stand_out():
    def auto(n, mu, k=1, **given):
        given = dict(n_classes=10, n_features=1280, label_model=False) | given
        return covariance_type(n, k=k, mu=mu, **given)

    # A tenth of 20,000 records: 7 and 22 directions, of 1280.
    few, many = auto(20_000.0, 0.5), auto(20_000.0, 1.7)
    assert (few.value, many.value) == ("tied", "full")
    assert few.because["directions"] < 16.0 < many.because["directions"]
    # In few features a third of an error is asked for, as it was measured there.
    assert auto(3_000.0, 1.7, n_features=32).value == "tied"
    assert auto(3_000.0, 1.7, n_features=33).value == "full"
    # Without noise, records are what is missing.
    assert auto(20_000.0, np.inf).value == "full"
    assert auto(4_000.0, np.inf).value == "tied"
    # A head makes up for it; and without labels there are no classes to tell.
    assert auto(20_000.0, 1.7, label_model="auto").value == "tied"
    assert auto(20_000.0, 1.7, n_classes=1, k=10).value == "tied"


def test_components_of_many_features_need_directions_each():
    def auto(n, mu, with_head=False):
        return n_components(n, 10, 196, mu, with_head).value

    assert [auto(60_000.0, mu) for mu in (0.27, 1.0, 2.0)] == [1, 4, 8]
    assert auto(60_000.0, np.inf) == 15  # 392 records, or more, each
    assert auto(60_000.0, 2.0, with_head=True) == 1
    for mu in (0.27, 2.0, np.inf):
        given = dict(n_classes=10, n_features=196, mu=mu, label_model=False)
        assert covariance_type(60_000.0, k=auto(60_000.0, mu), **given).value == "full"


def test_what_is_chosen_by_itself_takes_little_memory():
    for n_classes, n_features in [(1, 32), (150, 768), (10_000, 64), (10_000, 1280)]:
        k = affordable_shapes(n_classes, n_features)
        assert 8 * n_classes * k * n_features**2 <= 2**31


def test_random_features_need_records_and_few_classes():
    values = np.geomspace(0.1, 0.001, 20)
    second, beyond = Spikes(0.001, values, np.eye(100, 20)), np.full(500, 1e-4)

    def auto(n, mu=1.0, k=3):
        return n_random_features(np.full(k, n / k), mu, second, 1.0, beyond).value

    sizes = np.geomspace(1e2, 1e7, 30)
    found = [auto(n) for n in sizes]
    assert found == sorted(found)
    assert set(found) == {0, N_RANDOM_FEATURES}
    enough = sizes[found.index(N_RANDOM_FEATURES)]
    assert auto(enough, mu=0.3) == 0
    assert auto(enough, k=100) == 0
    assert auto(1e7, mu=np.inf) == N_RANDOM_FEATURES
    assert auto(100.0, mu=np.inf) == 0
