"""A frozen encoder in ONNX Runtime."""

from __future__ import annotations

import io
import warnings
from importlib import import_module
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

# Types of the inputs of a model, as ONNX Runtime names them.
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
# The most that protobuf holds, in which models are written, and how it writes the name
# of the entry that tells the file of a tensor.
_MOST_BYTES = 2**31
_ELSEWHERE = b"\n\x08location"


class OnnxEncoder:
    """A frozen encoder that runs in ONNX Runtime.

    Takes the place of a torch module in `TorchEmbeddingTransformer`. On a CPU it can be
    several times faster than the module that it was made from.

    Parameters
    ----------
    model : bytes, str or path-like
        A model in the ONNX format, or its file, with a batch of any size as the first
        dimension of its inputs and of its first output. Weights in files of their own
        are found beside the file of the model.
    n_threads : int, default=None
        Threads of ONNX Runtime, at least 1; None is its default, all cores.

    Raises
    ------
    ImportError
        When onnxruntime is not installed, or for `from_torch` onnx.
    TypeError
        When `model` is neither bytes nor a path, or `n_threads` no integer.
    ValueError
        When `model` is the path of anything but a file, or `n_threads` is below 1.

    See Also
    --------
    TorchEmbeddingTransformer : Takes it as its `module`.

    Notes
    -----
    Privacy: as any encoder it must be public, and not learned from the private records.

    It can be pickled, and is sent to a worker as the bytes of the model. Weights in
    files of their own are read into them, which takes the package onnx; where the whole
    exceeds the 2 GiB of that format, the path is sent, and the worker must find it.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer
    >>> module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> images = np.random.default_rng(0).uniform(size=(10, 1, 8, 8)).astype("float32")
    >>> encoder = OnnxEncoder.from_torch(module, images[:2])
    >>> transformer = TorchEmbeddingTransformer(encoder, pooling="mean")
    >>> Z = transformer.transform(images)
    >>> expected = TorchEmbeddingTransformer(module, pooling="mean").transform(images)
    >>> bool(np.allclose(Z, expected, atol=1e-5))
    True
    """

    def __init__(
        self, model: bytes | str | PathLike, *, n_threads: int | None = None
    ) -> None:
        _check_n_threads(n_threads)
        if isinstance(model, str | PathLike):
            model = _read(Path(model))
        if not isinstance(model, bytes | Path):
            raise TypeError(
                "model must be bytes or the path of a model in the ONNX format, got "
                f"{type(model).__name__}."
            )
        self.model = model
        self.n_threads = n_threads
        self._session = self._start()

    @classmethod
    def from_torch(cls, module, example, *, n_threads=None):
        """Translate a torch module.

        Parameters
        ----------
        module : torch.nn.Module
            The encoder, of one tensor to one tensor; it is left as it is.
        example : array-like or tensor of shape (n_items, ...)
            A batch of at least two items, preprocessed. What comes out for it must not
            change by the translation.
        n_threads : int, default=None
            Threads of ONNX Runtime; None is its default, all cores.

        Returns
        -------
        encoder : OnnxEncoder
            The same in ONNX Runtime.
        """
        _import("onnx")
        _check_n_threads(n_threads)
        if isinstance(example, np.ndarray) and not example.flags.writeable:
            example = example.copy()  # torch would warn of it
        batch = torch.as_tensor(example)
        if batch.ndim == 0 or len(batch) < 2:
            raise ValueError(
                f"example must have at least two items, got shape {tuple(batch.shape)}."
            )
        training = [(part, part.training) for part in module.modules()]
        file = io.BytesIO()
        try:
            module.eval()
            with torch.inference_mode(), warnings.catch_warnings():
                # About the exporter itself, and values that a trace takes as fixed,
                # which the comparison below would show.
                warnings.simplefilter("ignore")
                # Of copies: a module may overwrite what it is given.
                expected = module(batch.clone()).numpy()
                torch.onnx.export(
                    module,
                    (batch.clone(),),
                    file,
                    input_names=["items"],
                    output_names=["embeddings"],
                    dynamic_axes={"items": {0: "n"}, "embeddings": {0: "n"}},
                    dynamo=False,
                )
        finally:
            for part, mode in training:
                part.training = mode
        encoder = cls(file.getvalue(), n_threads=n_threads)
        found = np.concatenate([encoder(batch[:1]), encoder(batch[1:])])
        scale = np.abs(expected).max()
        if (
            found.shape != expected.shape
            or np.abs(found - expected).max() > 1e-3 * scale
        ):
            raise ValueError(
                "module cannot be translated: in ONNX Runtime it gives something else "
                "for example. It may depend on the size of a batch, or take a way "
                "through its code that depends on its input."
            )
        return encoder

    def __call__(self, inputs: Any) -> torch.Tensor:
        """Return the first output for a tensor, or for a tuple or dict of tensors."""
        wanted = self._session.get_inputs()
        if isinstance(inputs, dict):
            given = {one.name: inputs[one.name] for one in wanted if one.name in inputs}
        else:
            tensors = inputs if isinstance(inputs, tuple | list) else (inputs,)
            given = dict(zip([one.name for one in wanted], tensors, strict=False))
        types = {one.name: _TYPES.get(one.type) for one in wanted}
        feed = {
            name: np.ascontiguousarray(tensor.detach().cpu().numpy(), types[name])
            for name, tensor in given.items()
        }
        return torch.from_numpy(self._session.run(None, feed)[0])

    def _start(self):
        runtime = _import("onnxruntime")
        options = runtime.SessionOptions()
        if self.n_threads is not None:
            options.intra_op_num_threads = int(self.n_threads)
        try:
            return runtime.InferenceSession(
                self.model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            if isinstance(self.model, bytes) and _ELSEWHERE in self.model:
                error.add_note(
                    "The model has weights in other files: give its path, beside which "
                    "they are looked for."
                )
            raise

    def __getstate__(self):
        model = self.model
        if isinstance(model, Path):
            model = _with_weights(model)
        return {"model": model, "n_threads": self.n_threads}

    def __deepcopy__(self, memo):
        # A session may be shared: nothing in it changes.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._session = self._start()


def _read(path):
    """Return a model, or its path when some of its weights are in other files."""
    if not path.exists():
        raise FileNotFoundError(f"model must be the path of a file, got {str(path)!r}.")
    if not path.is_file():
        raise ValueError(
            f"model must be the path of a file, got {str(path)!r}, which is none."
        )
    model = path.read_bytes()
    return path.absolute() if _ELSEWHERE in model else model


def _with_weights(path):
    """Return a model with all of its weights, or its path if that is too much."""
    model = _import("onnx").load(path)
    return path if model.ByteSize() >= _MOST_BYTES else model.SerializeToString()


def _check_n_threads(n_threads):
    if n_threads is None:
        return
    if isinstance(n_threads, bool) or not isinstance(n_threads, Integral):
        raise TypeError(
            "n_threads must be None or an integer of at least 1, got "
            f"{n_threads!r} of type {type(n_threads).__name__}."
        )
    if n_threads < 1:
        raise ValueError(
            "n_threads must be an integer of at least 1, or None for all cores, got "
            f"{n_threads}."
        )


def _import(name):
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"OnnxEncoder needs {name}: pip install 'skdpgmm[onnx]'"
        ) from error
