"""What goes into a file, and what is refused of what comes out of one."""

import json

import numpy as np
import pytest
from private_fits import make_data
from sklearn.exceptions import NotFittedError

from skdpgmm import DPKMeans, DPLogisticRegression
from skdpgmm._estimators.model_file import ModelFile
from skdpgmm._estimators.saved import Said, attributes, documented
from skdpgmm._models.scores import CosineFeatures


@pytest.fixture(scope="module")
def file():
    estimator = DPKMeans(2, epsilon=10.0).fit(make_data(300, 3)[0])
    document, arrays = documented(estimator, estimator._transcript)
    return ModelFile(json.loads(json.dumps(document)), arrays, "", 0)


def test_nothing_is_written_of_what_is_not_fitted(tmp_path):
    with pytest.raises(NotFittedError):
        DPKMeans().save(tmp_path / "f")
    assert not list(tmp_path.iterdir())


def test_attributes_are_leaves():
    estimator = DPLogisticRegression(n_random_features=4)
    estimator.fit(*make_data(300, 3))
    found = dict(attributes(estimator))
    assert {f"random_features_.{name}" for name in CosineFeatures._fields} < set(found)
    assert not any(name.startswith(("_", "privacy_")) for name in found)


def test_what_a_file_says_is_what_was_fitted(file):
    said = Said(file.document, file.arrays)
    assert said.estimator == "DPKMeans" and said.parameters["n_clusters"] == 2
    assert said.transcript.n_features == 3 and said.transcript.classes is None
    assert len(said.ledger) == len({(e.name, e.mu) for e in said.ledger})
    assert said.attributes["cluster_centers_"].shape == (2, 3)
    assert said.made_by["numpy"] == np.__version__


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("n_features", 0, "n_features must be at least 1"),
        ("n_features", True, "n_features must be at least 1"),
        ("n_features", 3.0, "n_features must be at least 1"),
        ("dtype", "int64", "dtype must be one of"),
        ("classes", 3, "classes must be an array"),
        ("classes", {"list": [], "dtype": "O"}, "classes must be an array"),
        ("classes", {"list": ["b", "a"], "dtype": "U"}, "classes must be sorted"),
        ("classes", {"list": ["a", "a"], "dtype": "U"}, "classes must be sorted"),
    ],
)
def test_public_inputs_are_checked(name, value, message, file):
    public = {**file.document["public"], name: value}
    changed = file._replace(document={**file.document, "public": public})
    with pytest.raises(ValueError, match=message):
        _ = Said(changed.document, changed.arrays).transcript


@pytest.mark.parametrize("name", ["estimator", "parameters", "releases", "ledger"])
def test_parts_that_are_missing_or_of_another_type_are_refused(name, file):
    others = {key: value for key, value in file.document.items() if key != name}
    for document in (others, {**others, name: 3}):
        said = Said(document, file.arrays)
        with pytest.raises(ValueError, match=f"{name} is missing"):
            _ = said.transcript if name == "releases" else getattr(said, name)


def test_releases_are_arrays_of_floats(file):
    name = next(name for name in file.arrays if name.startswith("releases"))
    arrays = {**file.arrays, name: file.arrays[name].astype(np.int64)}
    with pytest.raises(ValueError, match="array of float64"):
        _ = Said(file.document, arrays).transcript
