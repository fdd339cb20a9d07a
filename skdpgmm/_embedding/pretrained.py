"""Encoders by name: what transformers loads, as a transformer of scikit-learn."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from numbers import Integral
from os import PathLike, fspath
from typing import Any

import torch
from sklearn.utils._param_validation import Interval, StrOptions

from skdpgmm._embedding.items import as_items
from skdpgmm._embedding.transformer import TorchEmbeddingTransformer

# Models that stay in memory, so that clones, and folds, need not load them anew.
_KEPT = 2


class PretrainedEncoder(TorchEmbeddingTransformer):
    """A transformer that loads its module, by name, when it is first needed.

    A subclass says how: `_parts` returns the module and what makes its inputs.
    """

    # Parameters of the base class that a name decides.
    module: Any = None
    preprocess: Any = None
    preprocess_level = "batch"
    layer: Any = None
    compile = False
    decoder: Any = None
    decoder_range: Any = None
    decoder_dtype = "float32"

    model: Any
    pooling: Any

    _parameter_constraints: dict = {
        "model": [str, PathLike],
        **{
            name: TorchEmbeddingTransformer._parameter_constraints[name]
            for name in (
                *("pooling", "normalize", "batch_size", "num_workers"),
                *("device", "autocast", "verbose"),
            )
        },
    }

    def _parts(self):
        """Return the module, what makes its inputs, and the pooling."""
        raise NotImplementedError

    def _embed(self, items, verbose=False, task=None):
        module, preprocess, pooling = self._parts()
        inner = TorchEmbeddingTransformer(
            module,
            preprocess=preprocess,
            pooling=pooling,
            normalize=self.normalize,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            device=self.device,
            autocast=self.autocast,
        )
        return inner._embed(items, verbose, task)

    def _check_items(self, X, *, reset):
        if reset:
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
        return as_items(X, has_preprocess=True, estimator=self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


POOLING = StrOptions({"mean", "max", "cls"})
COUNT = Interval(Integral, 1, None, closed="left")


def transformers_for(who: str) -> Any:
    """Return the package transformers, or say how to install it."""
    try:
        return import_module("transformers")
    except ImportError as error:
        raise ImportError(
            f"{who} needs transformers: pip install 'skdpgmm[encoders]'"
        ) from error


def check_torchvision() -> None:
    """Refuse a torchvision of another build than torch.

    transformers imports it, for texts as well, and names another cause when that fails.
    """
    try:
        import_module("torchvision")
    except ImportError:  # which texts do without
        return
    except RuntimeError as error:
        raise ImportError(
            "torchvision is of another build than torch, so that transformers cannot "
            "load models. Install both from one index: pip install --force-reinstall "
            "torch torchvision --index-url https://download.pytorch.org/whl/cpu"
        ) from error


@lru_cache(maxsize=_KEPT)
def loaded_model(name: str, features: str) -> torch.nn.Module:
    """Return a model for use, on the GPU where there is one.

    Parameters
    ----------
    name : str
        As `transformers.AutoModel` takes it: a folder, or a name on its hub.
    features : str
        Method of models of texts and images together that embeds one of both.
    """
    from transformers import AutoModel

    try:
        model = AutoModel.from_pretrained(name).float().eval()
    except (ImportError, RuntimeError):
        check_torchvision()
        raise
    if hasattr(model, features):
        model = Features(model, features)
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


class Features(torch.nn.Module):
    """One of the two ways into a model of texts and images.

    Parameters
    ----------
    model : torch.nn.Module
        With both.
    method : str
        Name of the way.
    """

    def __init__(self, model, method):
        super().__init__()
        self.model, self.method = model, method

    def forward(self, **inputs):
        """Return the embeddings of a batch, of shape (n, n_outputs)."""
        found = getattr(self.model, self.method)(**inputs)
        return found if isinstance(found, torch.Tensor) else found.pooler_output


def name_of(model: str | PathLike) -> str:
    """Return the name that transformers is asked for."""
    return fspath(model)
