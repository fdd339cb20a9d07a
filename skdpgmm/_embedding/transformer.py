"""Embed images, texts and other records with a torch module."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data
from torch.utils.data import DataLoader, IterableDataset

from skdpgmm._embedding.decoding import DecoderMixin
from skdpgmm._embedding.encoding import EncoderMixin
from skdpgmm._embedding.items import as_items, items_at
from skdpgmm._rows.sources import check_output, first_rows, is_lazy, map_rows
from skdpgmm._typed import fit_context


def _gives_blocks(X):
    """Whether `X` is lazy, and no stream of single items that torch knows."""
    return is_lazy(X) and not isinstance(X, DataLoader | IterableDataset)


class TorchEmbeddingTransformer(
    EncoderMixin,
    DecoderMixin,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Embed records with a public, pretrained torch module.

    Images, texts or any other records go through `module` in batches, in evaluation
    mode and without gradients, and come out as the rows of a float32 matrix. The
    transformer is stateless: `transform` needs no `fit`.

    Parameters
    ----------
    module : torch.nn.Module or callable
        The encoder. It is called with a batch and returns a tensor whose first
        dimension runs over the items. A method of a module, such as
        ``model.encode_image``, will do.

    preprocess : callable, default=None
        Turns items into inputs of `module`: a tokenizer, an image transform. Floating
        point results are converted to the floating point type of `module`. With
        `None`, X must hold numbers, which become float32 (or the type of `module`)
        **without rescaling**: uint8 images keep their range of 0 to 255.

    preprocess_level : {"batch", "item"}, default="batch"
        With `"batch"`, `preprocess` is given a slice of the array or tensor X, or
        else a list of items, and returns a tensor, a tuple of tensors (the positional
        arguments of `module`) or a dict of tensors (its keyword arguments), as the
        processors of Hugging Face do. With `"item"`, it is given one item at a time,
        and the tensors of one shape that it returns are stacked, as the transforms of
        torchvision and open_clip expect.

    layer : str, default=None
        Name of a submodule, as in ``module.named_modules()``, whose output is taken
        in place of the output of `module`. Of a submodule that runs several times in
        a forward pass, the last output counts.

    pooling : {"mean", "max", "cls"} or callable, default=None
        Turns an output of more than two dimensions into one vector per item. `"mean"`
        and `"max"` pool a feature map (item, channel, height, width, ...) over all
        that follows the channels, and a sequence (item, token, channel) over its
        tokens, those excepted that an `"attention_mask"` returned by `preprocess`
        hides. `"cls"` takes the first token of a sequence. A callable is given the
        output and returns a tensor of shape (n_items, n_outputs). With any pooling,
        the `last_hidden_state` is taken of outputs which have one; with none, their
        `image_embeds` or `text_embeds`.

    normalize : bool, default=True
        Whether to divide each row by its l2 norm, so that ``clip_norm=1.0`` bounds it
        without loss. Rows of zeros stay zero.

    batch_size : int, default=64
        Number of items per batch, at least 1. On a CPU, larger batches are often
        slower: their activations no longer fit into the caches.

    num_workers : int, default=0
        Processes that load and preprocess the next batches while `module` computes,
        at least 0, as in ``torch.utils.data.DataLoader``. Worth it where `preprocess`
        takes as long as the module, such as for image files or on a GPU. From Python
        3.14 on, and on macOS and Windows, they start without what this process has:
        `preprocess` and X have to be picklable, hence no functions within functions,
        a script needs ``if __name__ == "__main__":``, and settings of Pillow belong
        into the module of `preprocess`.

    device : str or torch.device, default="auto"
        Where to compute: `"auto"` is the device of the parameters of `module` or, if
        it has none, `"cuda"` where available and `"cpu"` elsewhere. Given another
        device than that of `module`, each call works on a copy that is moved there;
        move `module` yourself to save the copy.

    autocast : {"float16", "bfloat16"}, default=None
        Type in which ``torch.autocast`` computes what can bear it. None computes in
        the type of `module`.

    compile : bool or dict, default=False
        Whether to run `module` through ``torch.compile``; a dict holds its keyword
        arguments. The first batch takes a minute then. Not with `layer`.

    decoder : torch.nn.Module or callable, default=None
        Turns embeddings of shape (n_items, n_outputs) into a tensor of images, for
        `inverse_transform`, which exists only when a decoder is given. **It must be
        public**, as the encoder: trained on public images only.

    decoder_range : tuple (low, high) of float, default=None
        Range of the values that `decoder` returns, such as (0.0, 1.0). Values outside
        are refused. None allows any.

    decoder_dtype : {"float32", "uint8"}, default="float32"
        Type of decoded images. "uint8" maps `decoder_range` to 0 to 255.

    verbose : bool, default=False
        Whether to show a progress bar on stderr, drawn by tqdm where it is installed.
        No values of the data are shown.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during :term:`fit`. Defined only when X has two
        dimensions.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during :term:`fit`. Defined only when X is a frame
        whose columns are all named by strings.

    Raises
    ------
    TypeError
        If X is sparse, a single item or an iterable without a length; if items that
        are not numbers come without a `preprocess`; if `preprocess` returns anything
        but tensors and arrays; if it or X cannot be sent to processes of `num_workers`.
    ValueError
        If X is empty, has fewer than two dimensions or contains nan or infinity; if
        `layer` or `device` does not exist; if `module` contains batch normalization
        in training mode; if it returns anything but one finite vector per item; if
        the output for a row depends on the other rows of its batch.

    See Also
    --------
    OnnxEncoder : A faster way to run a module on a CPU.
    DiffusersDecoder : A decoder made of an unCLIP pipeline.
    DPEmbeddingSynthesizer : Private generative model of embeddings.

    Notes
    -----
    **Privacy.** This transformer adds no noise and releases nothing: its output is as
    private as its input. The guarantee of an estimator that is fitted on the
    embeddings holds for the records behind them under two conditions:

    - the encoder, `preprocess` and the decoder are public. None of them was trained,
      fine-tuned or chosen on the private records;
    - the encoder treats each row alone, so that one record changes one embedding.

    The second condition is tested on the first batch of every call: its first, middle
    and last rows are computed again, each alone and all three in the opposite order,
    and may move by 0.1 % of their norm, for the sums of floating point numbers
    depend on the shape of a batch (by about 1e-6 in float32). The tolerance is 3 % in
    half precision and on devices other than the CPU, which may multiply float32
    numbers at reduced precision. A single row is compared with itself beside a copy
    whose floating point inputs are doubled. The test finds mistakes. It cannot prove
    their absence.

    **State of the module.** Submodules in training mode are switched to evaluation
    mode for the call and back afterwards. Batch normalization in training mode is
    refused instead, as it means that ``module.eval()`` was forgotten.

    **Work in place.** The items are left as they are: `module` is given copies, and so
    is `preprocess` of arrays, tensors and images.

    **Speed.** On the CPU, images and the four-dimensional weights are laid out as
    channels last for the call: the values are the same to the bit, and convolutions
    are several times faster. The weights get their own memory back afterwards. A
    module that calls ``view`` on its feature maps cannot work in this layout and is
    run in the usual one.

    References
    ----------
    .. [1] `Radford et al. (2021). "Learning Transferable Visual Models From Natural
       Language Supervision". ICML. <https://arxiv.org/abs/2103.00020>`_

    .. [2] `Tramèr, Kamath, Carlini (2024). "Position: Considerations for
       Differentially Private Learning with Large-Scale Public Pretraining". ICML.
       <https://arxiv.org/abs/2212.06470>`_

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skdpgmm import TorchEmbeddingTransformer
    >>> encoder = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> images = np.random.default_rng(0).uniform(size=(10, 1, 8, 8))
    >>> transformer = TorchEmbeddingTransformer(encoder, pooling="mean")
    >>> Z = transformer.fit_transform(images)
    >>> Z.shape, Z.dtype
    ((10, 4), dtype('float32'))
    >>> bool(np.allclose(np.linalg.norm(Z, axis=1), 1))
    True
    """

    _parameter_constraints: dict = {
        "module": [callable],
        "preprocess": [callable, None],
        "preprocess_level": [StrOptions({"batch", "item"})],
        "layer": [str, None],
        "pooling": [StrOptions({"mean", "max", "cls"}), callable, None],
        "normalize": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "num_workers": [Interval(Integral, 0, None, closed="left")],
        "device": [str, torch.device],
        "autocast": [StrOptions({"float16", "bfloat16"}), None],
        "compile": ["boolean", dict],
        "decoder": [callable, None],
        "decoder_range": [tuple, list, None],
        "decoder_dtype": [StrOptions({"float32", "uint8"})],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        module: Callable,
        *,
        preprocess: Callable | None = None,
        preprocess_level: str = "batch",
        layer: str | None = None,
        pooling: str | Callable | None = None,
        normalize: bool = True,
        batch_size: int = 64,
        num_workers: int = 0,
        device: str | torch.device = "auto",
        autocast: str | None = None,
        compile: bool | dict = False,
        decoder: Callable | None = None,
        decoder_range: tuple[float, float] | None = None,
        decoder_dtype: str = "float32",
        verbose: bool | int = False,
    ) -> None:
        self.module = module
        self.preprocess = preprocess
        self.preprocess_level = preprocess_level
        self.layer = layer
        self.pooling = pooling
        self.normalize = normalize
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.device = device
        self.autocast = autocast
        self.compile = compile
        self.decoder = decoder
        self.decoder_range = decoder_range
        self.decoder_dtype = decoder_dtype
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None) -> Self:
        """Validate the parameters and learn the number of outputs.

        Parameters
        ----------
        X : array, tensor, frame, list or torch Dataset
            The items, as in `transform`. At most two of them are embedded.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The transformer itself.
        """
        X = first_rows(X, 2) if _gives_blocks(X) else X
        items = items_at(self._check_items(X, reset=True), slice(0, 2))
        self._n_features_out = self._embed(items).shape[1]
        return self

    def transform(self, X) -> np.ndarray:
        """Embed X.

        Parameters
        ----------
        X : array, tensor, frame, list or torch Dataset
            The items: an array or tensor of numbers with at least two dimensions, the
            items along the first; a frame of numbers; a list of arrays, tensors, PIL
            images, strings or paths, or a column of strings; or a map-style Dataset,
            of whose tuples the first entry is taken. Images, strings and paths need a
            `preprocess`. A path (``pathlib.Path``) of a regular file is opened as an
            image by PIL; a string is a text. Images that carry a tag of orientation
            are turned as it says, as viewers show them. A Dask array or an object
            that gives blocks of items.

        Returns
        -------
        Z : ndarray of shape (n_items, n_outputs) and dtype float32
            The embeddings, of unit norm with `normalize=True`; a Dask array for one,
            and blocks for blocks, computed when they are asked for.
        """
        self._validate_params()
        if _gives_blocks(X):
            check_output(self, X)
            return map_rows(self._transform, X)
        return self._transform(X)

    @with_callbacks
    def _transform(self, X):
        # A model that needs its channels first makes a second start.
        task = self._init_callback_context("transform", max_subtasks=None)
        task.call_on_fit_task_begin(estimator=self)
        Z = self._embed(self._check_items(X, reset=False), self.verbose, task)
        task.call_on_fit_task_end(estimator=self)
        return Z

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = self.preprocess is not None
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_items(self, X: Any, *, reset: bool) -> Any:
        items = as_items(X, has_preprocess=self.preprocess is not None, estimator=self)
        if getattr(items, "ndim", None) == 2:
            if reset or hasattr(self, "n_features_in_"):
                validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset:
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
        return items
