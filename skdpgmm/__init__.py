"""Differentially private Gaussian mixtures and synthetic embeddings."""

from importlib import import_module

from skdpgmm._estimators.kmeans import DPKMeans
from skdpgmm._estimators.logistic import DPLogisticRegression
from skdpgmm._estimators.mixture import DPGaussianMixture
from skdpgmm._estimators.resampler import DPSyntheticResampler
from skdpgmm._estimators.synthesizer import DPEmbeddingSynthesizer
from skdpgmm._estimators.synthetic_classifier import DPSyntheticClassifier
from skdpgmm._rows.parquet import ParquetColumn

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
    "DiffusersDecoder": "skdpgmm._embedding.diffusers_decoder",
    "OnnxEncoder": "skdpgmm._embedding.onnx_encoder",
    "TorchEmbeddingTransformer": "skdpgmm._embedding.transformer",
}


def __getattr__(name):
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_LATER])
