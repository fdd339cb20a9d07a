"""Differentially private Gaussian mixtures and synthetic embeddings."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from skdpgmm._audit.audit import audit
from skdpgmm._estimators.kmeans import DPKMeans
from skdpgmm._estimators.leaks import check_pipeline
from skdpgmm._estimators.loading import load
from skdpgmm._estimators.logistic import DPLogisticRegression
from skdpgmm._estimators.mixture import DPGaussianMixture
from skdpgmm._estimators.pca import DPPCA
from skdpgmm._estimators.pipeline import PrivatePipeline
from skdpgmm._estimators.project_budget import PrivacyBudget
from skdpgmm._estimators.resampler import DPSyntheticResampler
from skdpgmm._estimators.scaler import DPStandardScaler
from skdpgmm._estimators.search import PrivateSearchCV
from skdpgmm._estimators.search_report import search_privacy
from skdpgmm._estimators.synthesizer import DPEmbeddingSynthesizer
from skdpgmm._estimators.synthetic_classifier import DPSyntheticClassifier
from skdpgmm._estimators.verification import verify
from skdpgmm._report.review import ReviewReport, report
from skdpgmm._rows.parquet import ParquetColumn

__version__ = "0.2.0.dev0"

__all__ = [
    "DPPCA",
    "DPEmbeddingSynthesizer",
    "DPGaussianMixture",
    "DPKMeans",
    "DPLogisticRegression",
    "DPStandardScaler",
    "DPSyntheticClassifier",
    "DPSyntheticResampler",
    "DiffusersDecoder",
    "ImageEncoder",
    "OnnxEncoder",
    "ParquetColumn",
    "PrivacyBudget",
    "PrivatePipeline",
    "PrivateSearchCV",
    "ReviewReport",
    "TextEncoder",
    "TorchEmbeddingTransformer",
    "audit",
    "check_pipeline",
    "load",
    "report",
    "search_privacy",
    "verify",
]


# Importing torch takes seconds; only those who embed with it should wait.
_LATER = {
    "DiffusersDecoder": "skdpgmm._embedding.diffusers_decoder",
    "ImageEncoder": "skdpgmm._embedding.image_encoder",
    "OnnxEncoder": "skdpgmm._embedding.onnx_encoder",
    "TextEncoder": "skdpgmm._embedding.text_encoder",
    "TorchEmbeddingTransformer": "skdpgmm._embedding.transformer",
}


if TYPE_CHECKING:
    from skdpgmm._embedding.diffusers_decoder import DiffusersDecoder
    from skdpgmm._embedding.image_encoder import ImageEncoder
    from skdpgmm._embedding.onnx_encoder import OnnxEncoder
    from skdpgmm._embedding.text_encoder import TextEncoder
    from skdpgmm._embedding.transformer import TorchEmbeddingTransformer
else:

    def __getattr__(name):
        if name in _LATER:
            try:
                return getattr(import_module(_LATER[name]), name)
            except ModuleNotFoundError as error:
                if error.name != "torch":
                    raise
                raise ModuleNotFoundError(
                    f"{name} needs torch, which is not installed: pip install torch "
                    "--index-url https://download.pytorch.org/whl/cpu takes a build "
                    "for the CPU",
                    name="torch",
                ) from error
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])


class _OldModules:
    """Says why a pickle of 0.1.0 does not load, where Python names a module only.

    Python asks it last, for modules that nothing else has found.
    """

    NAMES = (
        *("_diffusers", "_kmeans", "_logistic", "_mixture", "_onnx", "_parquet"),
        *("_resampler", "_synthesizer", "_synthetic_classifier", "_torch"),
    )

    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        package, _, module = fullname.partition(".")
        if package == "skdpgmm" and module in cls.NAMES:
            raise ModuleNotFoundError(
                f"{fullname} is of skdpgmm 0.1.0, and so is what was pickled with it: "
                "load it with that version and copy its attributes; to fit again would "
                "spend another budget",
                name=fullname,
            )


sys.meta_path.append(_OldModules)
