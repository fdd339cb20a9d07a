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
    "ParquetColumn",
    "TorchEmbeddingTransformer",
]


def __getattr__(name):
    # Importing torch takes seconds; only those who embed with it should wait.
    if name == "TorchEmbeddingTransformer":
        return import_module("skdpgmm._torch").TorchEmbeddingTransformer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), "TorchEmbeddingTransformer"])
