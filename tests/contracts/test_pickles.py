"""Pickles: those of 0.1.0 say in one line why they do not load."""

import importlib.util
import pickle

import joblib
import pytest

import skdpgmm
from skdpgmm import DPKMeans

# The modules of 0.1.0 by the names that they defined.
OLD = {
    "DPEmbeddingSynthesizer": "skdpgmm._synthesizer",
    "DPGaussianMixture": "skdpgmm._mixture",
    "DPKMeans": "skdpgmm._kmeans",
    "DPLogisticRegression": "skdpgmm._logistic",
    "DPSyntheticClassifier": "skdpgmm._synthetic_classifier",
    "DPSyntheticResampler": "skdpgmm._resampler",
    "DiffusersDecoder": "skdpgmm._diffusers",
    "OnnxEncoder": "skdpgmm._onnx",
    "ParquetColumn": "skdpgmm._parquet",
    "TorchEmbeddingTransformer": "skdpgmm._torch",
}


def old_bytes(name):
    """Return how a pickle of 0.1.0 begins: a class by its module, and no state."""
    return f"c{OLD[name]}\n{name}\n)\x81.".encode()


def test_names_are_still_public():
    assert OLD.keys() <= set(skdpgmm.__all__)


@pytest.mark.parametrize("name", OLD)
def test_pickles_of_the_first_version_say_why_they_do_not_load(name, tmp_path):
    data = old_bytes(name)
    (tmp_path / "old").write_bytes(data)
    for load in (lambda: pickle.loads(data), lambda: joblib.load(tmp_path / "old")):
        with pytest.raises(ModuleNotFoundError, match=r"0\.1\.0, and so is") as caught:
            load()
        assert "\n" not in str(caught.value)
        assert caught.value.name == OLD[name]


def test_other_modules_that_are_missing_are_as_ever():
    assert importlib.util.find_spec("skdpgmm._none_such") is None
    assert importlib.util.find_spec("_kmeans") is None


def test_pickles_of_this_version_load():
    kmeans = pickle.loads(pickle.dumps(DPKMeans(3)))
    assert kmeans.get_params() == DPKMeans(3).get_params()
