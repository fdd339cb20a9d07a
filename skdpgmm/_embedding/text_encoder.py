"""Embed texts with a pretrained model, by its name."""

from __future__ import annotations

import json
from functools import lru_cache
from os import PathLike
from typing import Any, NamedTuple

import torch
from sklearn.utils._param_validation import StrOptions

from skdpgmm._embedding.pretrained import (
    COUNT,
    POOLING,
    Features,
    PretrainedEncoder,
    loaded_model,
    name_of,
    transformers_for,
)

# Parts of a sentence-transformers model that pooling and norm here stand for.
_KNOWN_PARTS = ("Transformer", "Pooling", "Normalize")
_POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
# What tokenizers say that know no limit.
_NO_LIMIT = 10**6


class TextEncoder(PretrainedEncoder):
    """Embed texts with a public, pretrained model, by its name.

    The model is loaded with transformers when it is first needed, and stays in memory
    for other encoders of its name. Models of sentence-transformers are pooled and cut
    as they say themselves.

    Parameters
    ----------
    model : str or path-like
        A local folder, or a name on the hub of Hugging Face, from where it is
        downloaded then, such as "sentence-transformers/all-MiniLM-L6-v2". **It must be
        public**: never trained, fine-tuned or chosen on the private texts.
    pooling : {"auto", "mean", "max", "cls"}, default="auto"
        How the outputs for the tokens of a text become one vector: their mean or
        maximum, or that of the first. "auto" does what a model of
        sentence-transformers says, and takes the mean for others. Models of texts and
        images together have embeddings of their own, and need "auto".
    prompt : str, default=""
        Put before each text, as in "query: ", which some models were trained with.
    max_length : int, default=None
        Tokens of a text, at least 1; what comes after them is cut off. None is what
        the model says.
    normalize : bool, default=True
        Whether to divide each row by its l2 norm, so that ``clip_norm=1.0`` bounds it
        without loss.
    batch_size : int, default=32
        Number of texts per batch, at least 1.
    num_workers : int, default=0
        Processes that cut the next texts into tokens, at least 0.
    device : str or torch.device, default="auto"
        Where to compute: "auto" is the GPU where there is one, and the CPU elsewhere.
    autocast : {"float16", "bfloat16"}, default=None
        Type in which ``torch.autocast`` computes what can bear it.
    verbose : bool, default=False
        Whether to show a progress bar on stderr. No texts are shown.

    Raises
    ------
    ImportError
        If transformers is not installed.
    TypeError
        If X is a single text, or has items that are no texts.
    ValueError
        If X is empty, has several columns, or the model cannot be used.

    See Also
    --------
    ImageEncoder : The same for images.
    TorchEmbeddingTransformer : For a module that is loaded already.

    Notes
    -----
    **Privacy.** It adds no noise and releases nothing: its output is as private as its
    input. The guarantee of an estimator that is fitted on the embeddings holds for the
    texts behind them if the model is public and treats each text alone, which is
    tested on the first batch of each call, as by `TorchEmbeddingTransformer`.

    References
    ----------
    .. [1] `Reimers, Gurevych (2019). "Sentence-BERT: Sentence Embeddings using Siamese
       BERT-Networks". EMNLP. <https://arxiv.org/abs/1908.10084>`_

    Examples
    --------
    >>> from skdpgmm import DPEmbeddingSynthesizer, TextEncoder
    >>> embed = TextEncoder("sentence-transformers/all-MiniLM-L6-v2")
    >>> Z = embed.transform(texts)  # doctest: +SKIP
    >>> synthesizer = DPEmbeddingSynthesizer(clip_norm=1.0)
    >>> synthesizer.fit(Z, labels)  # doctest: +SKIP
    """

    _parameter_constraints: dict = {
        **PretrainedEncoder._parameter_constraints,
        "pooling": [StrOptions({"auto", *POOLING.options})],
        "prompt": [str],
        "max_length": [COUNT, None],
    }

    def __init__(
        self,
        model: str | PathLike,
        *,
        pooling: str = "auto",
        prompt: str = "",
        max_length: int | None = None,
        normalize: bool = True,
        batch_size: int = 32,
        num_workers: int = 0,
        device: str | torch.device = "auto",
        autocast: str | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.model = model
        self.pooling = pooling
        self.prompt = prompt
        self.max_length = max_length
        self.normalize = normalize
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.device = device
        self.autocast = autocast
        self.verbose = verbose

    def _parts(self):
        transformers_for("TextEncoder")
        name = name_of(self.model)
        says = what_it_says(name)
        module = loaded_model(name, "get_text_features")
        tokenizer, longest = loaded_tokenizer(name)
        preprocess = Tokens(
            tokenizer, self.prompt, self.max_length or says.max_length or longest
        )
        if isinstance(module, Features):
            if self.pooling != "auto":
                raise ValueError(
                    "pooling must be 'auto' for a model of texts and images, which has "
                    f"embeddings of its own, got {self.pooling!r}."
                )
            return module, preprocess, None
        return (
            module,
            preprocess,
            says.pooling if self.pooling == "auto" else self.pooling,
        )


class Tokens:
    """Turns texts into tokens.

    Parameters
    ----------
    tokenizer : callable
        Of transformers.
    prompt : str
        Put before each text.
    max_length : int
        Tokens of a text.
    """

    def __init__(self, tokenizer, prompt, max_length):
        self.tokenizer, self.prompt, self.max_length = tokenizer, prompt, max_length

    def __call__(self, texts):
        """Return the inputs of a model for a list of texts."""
        for text in texts:
            if not isinstance(text, str):
                # Not what it is: messages must not show records.
                raise TypeError(f"X must hold texts, got a {type(text).__name__}.")
        return self.tokenizer(
            [self.prompt + text for text in texts],
            padding=True,
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        )


class Says(NamedTuple):
    """What a model of sentence-transformers says of itself.

    Attributes
    ----------
    pooling : {"mean", "max", "cls"}
    max_length : int or None
    """

    pooling: str
    max_length: int | None


def what_it_says(name: str) -> Says:
    """Return pooling and length of a model, or say that it cannot be used."""
    parts = [
        part["type"].rpartition(".")[2] for part in _read(name, "modules.json", [])
    ]
    unknown = [part for part in parts if part not in _KNOWN_PARTS]
    if unknown:
        raise ValueError(
            f"model must be of the parts {_KNOWN_PARTS}, got {name!r} with {unknown}: "
            "load it with sentence-transformers, and give it to "
            "TorchEmbeddingTransformer."
        )
    pooling = _read(name, "1_Pooling/config.json", {})
    asked = [
        mode for mode, on in pooling.items() if mode.startswith("pooling_mode_") and on
    ]
    if len(asked) > 1 or not set(asked) <= _POOLINGS.keys():
        raise ValueError(
            f"pooling must be given for {name!r}, which asks for {asked}: one of "
            "'mean', 'max' and 'cls'."
        )
    sentence = _read(name, "sentence_bert_config.json", {})
    return Says(
        _POOLINGS[asked[0]] if asked else "mean", sentence.get("max_seq_length")
    )


def _read(name: str, file: str, default: Any) -> Any:
    """Return what a file of a model says, which it need not have."""
    from transformers.utils import cached_file

    path = cached_file(
        name,
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    if path is None:
        return default
    with open(path, encoding="utf-8") as opened:
        return json.load(opened)


@lru_cache(maxsize=2)
def loaded_tokenizer(name: str) -> tuple[Any, int]:
    """Return the tokenizer of a model, and how many tokens a text may have."""
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name)
    limit = tokenizer.model_max_length
    if limit > _NO_LIMIT:
        config = AutoConfig.from_pretrained(name)
        # RoBERTa counts places from that after padding: two fewer are free.
        limit = getattr(config, "max_position_embeddings", 512 + 2) - 2
    return tokenizer, limit
