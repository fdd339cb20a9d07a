"""From embeddings back to images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array

from skdpgmm._embedding.outputs import check_output, named_items, refuse_where
from skdpgmm._embedding.runtime import progress, ready
from skdpgmm._rows.sources import is_lazy, map_rows
from skdpgmm._typed import available_if


def _has_decoder(transformer: DecoderMixin) -> bool:
    if transformer.decoder is None:
        raise AttributeError(
            "inverse_transform needs a decoder: pass decoder=, a torch module which "
            "turns embeddings into images."
        )
    return True


class DecoderMixin:
    """`inverse_transform` of a transformer with a decoder."""

    # Declared for the type checker; set by the estimator.
    decoder: Any
    decoder_range: Any
    decoder_dtype: Any
    device: Any
    batch_size: Any
    verbose: Any
    _validate_params: Any

    @available_if(_has_decoder)
    def inverse_transform(self, Z) -> np.ndarray:
        """Decode embeddings, for instance synthetic ones.

        Parameters
        ----------
        Z : array-like of shape (n_items, n_outputs)
            Embeddings; or a Dask array, or an object that gives blocks of them.

        Returns
        -------
        X : ndarray of shape (n_items, ...)
            What the decoder returns: floating point numbers as float32, or all as
            uint8 with ``decoder_dtype="uint8"``. A Dask array for one, and blocks for
            blocks, computed when they are asked for.
        """
        self._validate_params()
        self._checked_range()
        return map_rows(self._decoded, Z) if is_lazy(Z) else self._decoded(Z)

    def _decoded(self, Z):
        low, high = self._checked_range()
        Z = check_array(Z, dtype=np.float32, input_name="Z", estimator=self)
        n_outputs = getattr(self, "_n_features_out", Z.shape[1])
        if Z.shape[1] != n_outputs:
            raise ValueError(
                f"Z must have {n_outputs} columns, one for each output of module; got "
                f"{Z.shape[1]}."
            )
        X = None
        with ready(self.decoder, "decoder", self.device) as (decoder, form):
            starts = range(0, len(Z), self.batch_size)
            for start in progress(starts, len(starts), "decode", self.verbose):
                batch = torch.from_numpy(Z[start : start + self.batch_size].copy())
                numbers = range(start, start + len(batch))
                with named_items("decoder was given rows of Z from", numbers):
                    images = decoder(form.of(batch))
                check_output(images, numbers, "decoder", item="row {} of Z")
                if low is not None:
                    refuse_where(
                        (images < low) | (images > high),
                        numbers,
                        f"decoder must return values in decoder_range=({low}, {high}); "
                        "those for row {} of Z are not.",
                    )
                images = self._converted(images, low, high).cpu().numpy()
                if X is None:
                    X = np.empty((len(Z), *images.shape[1:]), images.dtype)
                if images.shape[1:] != X.shape[1:]:
                    raise ValueError(
                        "decoder must return images of one shape; got "
                        f"{X.shape[1:]} for row 0 of Z and {images.shape[1:]} for row "
                        f"{start}."
                    )
                X[start : start + len(batch)] = images
        return X

    def _checked_range(self) -> tuple[float | None, float | None]:
        given = self.decoder_range
        if given is None:
            return None, None
        if len(given) != 2 or not given[0] < given[1]:
            raise ValueError(
                "decoder_range must be None or two numbers (low, high), low < high; "
                f"got {given!r}."
            )
        return float(given[0]), float(given[1])

    def _converted(self, images, low, high):
        if self.decoder_dtype == "float32":
            return images.float() if images.is_floating_point() else images
        if images.dtype == torch.uint8:
            return images
        if low is None:
            raise ValueError(
                "decoder_range must be given with decoder_dtype='uint8', unless "
                f"decoder returns uint8: it says what becomes 0 and 255; got None and "
                f"{images.dtype}."
            )
        return ((images - low) * (255.0 / (high - low))).round().to(torch.uint8)
