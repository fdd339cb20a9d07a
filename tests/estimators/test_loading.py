"""What is loaded is what the releases make, and a warning says so."""

import warnings

import numpy as np
import pytest
from private_fits import fit, fit_cases, make_data

from skdpgmm import load
from skdpgmm._estimators.model_file import read, write

CASES = fit_cases(3)
SAVED = ["kmeans", "mixture-auto", "logistic-features", "synthesizer-labels"]


@pytest.fixture(scope="module", params=SAVED)
def saved(request, tmp_path_factory):
    make, labelled = CASES[request.param]
    path = tmp_path_factory.mktemp("saved") / "model"
    fit(make(), *make_data(200, 3), labelled).save(path)
    return path


def test_a_warning_says_when_it_is_not_the_same_to_the_bit(saved, tmp_path):
    file = read(saved)
    name, array = next(
        (name, array)
        for name, array in sorted(file.arrays.items())
        if name.startswith("attributes") and array.dtype == np.float64
    )
    changed = array.copy()
    changed.flat[0] = np.nextafter(changed.flat[0], np.inf)
    write(tmp_path / "f", file.document, {**file.arrays, name: changed})
    with pytest.warns(UserWarning, match="is not to the bit what was saved"):
        loaded = load(tmp_path / "f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = load(saved)
    # What is returned is what the releases make.
    path = name.removeprefix("attributes.").split(".")
    for attribute in path:
        loaded, whole = getattr(loaded, attribute), getattr(whole, attribute)
    np.testing.assert_array_equal(loaded, whole)
    np.testing.assert_array_equal(whole, array)
