"""Differentially private Gaussian mixtures and synthetic embeddings."""

from importlib import import_module

from skdpgmm._kmeans import DPKMeans
from skdpgmm._logistic import DPLogisticRegression
from skdpgmm._mixture import DPGaussianMixture
from skdpgmm._parquet import ParquetColumn
from skdpgmm._resampler import DPSyntheticResampler
from skdpgmm._synthesizer import DPEmbeddingSynthesizer
from skdpgmm._synthetic_classifier import DPSyntheticClassifier

__version__ = "0.1.0"

__all__ = [
    "DPEmbeddingSynthesizer",
    "DPGaussianMixture",
    "DPKMeans",
    "DPLogisticRegression",
    "DPSyntheticClassifier",
    "DPSyntheticResampler",
    "DiffusersDecoder",
    "OnnxEncoder",
    "ParquetColumn",
    "TorchEmbeddingTransformer",
]


# Importing torch takes seconds; only those who embed with it should wait.
_LATER = {
    "DiffusersDecoder": "skdpgmm._diffusers",
    "OnnxEncoder": "skdpgmm._onnx",
    "TorchEmbeddingTransformer": "skdpgmm._torch",
}


def __getattr__(name):
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_LATER])
