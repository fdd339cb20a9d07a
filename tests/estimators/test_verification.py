"""What `verify` checks is found wrong when it is wrong, and said when it is right."""

import math

import numpy as np
import pytest
from private_fits import make_data
from sklearn.base import clone
from sklearn.datasets import make_blobs
from threadpoolctl import threadpool_limits

from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPKMeans,
    DPLogisticRegression,
    verify,
)
from skdpgmm._estimators.model_file import read, write


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "kmeans"
    DPKMeans(2, epsilon=10.0).fit(make_data(300, 3)[0]).save(path)
    return path


def failed(path):
    return [check.what for check in verify(path).checks if not check.passed]


def test_a_whole_file_passes(saved):
    found = verify(saved)
    assert found.passed and not failed(saved)
    assert found.digest == read(saved).digest
    shown = f"{found}{found._repr_html_()}"
    for text in ("all 4 follow from the releases to the bit", "believed", "one record"):
        assert text in shown
    assert repr(found) == "Verification(kmeans: 5 of 5 checks passed)"


def test_any_attribute_that_does_not_follow_is_found(saved, tmp_path):
    file = read(saved)
    rng = np.random.default_rng(0)
    names = [name for name in file.arrays if name.startswith("attributes.")]
    for name in 5 * names:
        changed = file.arrays[name].copy()
        place = rng.integers(changed.size)
        changed.flat[place] = np.nextafter(changed.flat[place], np.inf)
        write(tmp_path / "f", file.document, {**file.arrays, name: changed})
        found = verify(tmp_path / "f")
        assert [c.what for c in found.checks if not c.passed] == ["attributes"]
        text = str(found)
        assert f"{name.removeprefix('attributes.')} differs by" in text
        assert "verified   NO" in text


def moved(saved, path, by, **made_by):
    """Write a file whose centres are others, as if another machine had found them."""
    file, name = read(saved), "attributes.cluster_centers_"
    document = {**file.document, "made_by": {**file.document["made_by"], **made_by}}
    arrays = {**file.arrays, name: file.arrays[name] * (1.0 + by)}
    write(path, document, arrays)
    return verify(path)


def test_another_machine_may_round_otherwise(saved, tmp_path):
    found = moved(saved, tmp_path / "f", 1e-12, numpy="1.0", blas="abacus")
    assert found.passed and not found.to_the_bit
    assert 0.0 < found.largest_difference < 2e-12
    for text in (
        "3 to the bit",
        "made by numpy 1.0, blas abacus",
        "yes, but for 1e-12",
    ):
        assert text in str(found)


def test_no_more_than_rounding_is_passed(saved, tmp_path):
    assert not moved(saved, tmp_path / "f", 1e-6, numpy="1.0").passed
    # What computes here made it, it says: so there is nothing to round otherwise.
    assert not moved(saved, tmp_path / "g", 1e-12).passed


def test_a_release_that_matters_is_found(saved, tmp_path):
    """Others would make the same model: only the digest tells them apart."""
    file = read(saved)
    last = [name for name in sorted(file.arrays) if name.startswith("releases.")][-1]
    changed = 64.0 * file.arrays[last]  # on the same lattice
    write(tmp_path / "f", file.document, {**file.arrays, last: changed})
    assert failed(tmp_path / "f") == ["attributes"]


def test_a_ledger_that_does_not_add_up_is_found(saved, tmp_path):
    file = read(saved)
    first, *others = file.document["ledger"]
    name, shape, sensitivity, mu = first
    for ledger in (
        others,
        [first, *others, first],
        [[name, shape, sensitivity, mu / 2], *others],
        [[name, shape, sensitivity / 2, mu], *others],
        [["other", shape, sensitivity, mu], *others],
    ):
        write(tmp_path / "f", {**file.document, "ledger": ledger}, file.arrays)
        assert failed(tmp_path / "f") == ["ledger"]


def test_an_epsilon_that_was_not_asked_for_is_found(saved, tmp_path):
    file = read(saved)
    for name, value in [("epsilon", 9.0), ("delta", 1e-6), ("max_contributions", 2)]:
        parameters = {**file.document["parameters"], name: value}
        write(tmp_path / "f", {**file.document, "parameters": parameters}, file.arrays)
        with pytest.raises(ValueError, match="not one of a fit"):
            verify(tmp_path / "f")


@pytest.mark.parametrize("epsilon", [1e-3, 1.0, 30.0, 1e3, math.inf])
def test_two_accountants_agree(epsilon, tmp_path):
    kmeans = DPKMeans(2, epsilon=epsilon).fit(make_data(300, 3)[0])
    kmeans.save(tmp_path / "kmeans")
    found = verify(tmp_path / "kmeans")
    assert found.consistent
    # An epsilon of infinity is no success, though the file is what it says.
    assert found.passed is not math.isinf(epsilon)
    assert ("verified   NO: NOT PRIVATE" in str(found)) is math.isinf(epsilon)
    other = found.checks[-1].found
    if epsilon <= 100.0:
        assert float(other.split("=")[1].split()[0]) == pytest.approx(epsilon, rel=5e-4)
    else:
        assert other.startswith("not computed")
        assert repr(found) == "Verification(kmeans: 4 of 5 checks passed)"
        assert "not done" in str(found)


@pytest.mark.parametrize(
    "estimator",
    [
        DPEmbeddingSynthesizer(label_model=True, epsilon=8.0),
        DPEmbeddingSynthesizer(label_model=False, epsilon=8.0),
        DPLogisticRegression(epsilon=8.0),
        DPPCA(3, epsilon=8.0),
        DPKMeans(10, epsilon=8.0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_threads_of_linear_algebra_change_no_bit(estimator, tmp_path):
    X, y = make_blobs(2_000, 150, centers=4, cluster_std=5.0, random_state=0)
    with threadpool_limits(2, user_api="blas"):
        clone(estimator).fit(X, y).save(tmp_path / "model")
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            assert verify(tmp_path / "model").to_the_bit
