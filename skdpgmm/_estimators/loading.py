"""Models from files, in the hands of users."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from skdpgmm._estimators.model_file import ModelFile, read
from skdpgmm._estimators.rebuilding import rebuild
from skdpgmm._estimators.signature import bytes_of, is_there

if TYPE_CHECKING:
    from skdpgmm._estimators.base import PrivateEstimator
    from skdpgmm._estimators.pipeline import PrivatePipeline


def load(path, *, signed_by=None) -> PrivateEstimator | PrivatePipeline:
    """Return the fitted estimator that a file holds.

    It is made anew from its releases, by the same computation as in the fit and
    without a record. Nothing in the file is executed.

    Parameters
    ----------
    path : str or path-like
        Of a file that the method `save` of a fitted estimator has written.
    signed_by : Ed25519PublicKey of `cryptography`, default=None
        Key by which the file must be signed. None asks for no signature.

    Returns
    -------
    estimator : estimator
        Fitted; its `random_state` is None.

    Raises
    ------
    ValueError
        When the file is damaged, not one of a model, not signed by `signed_by`, or its
        releases are not those of a fit with its parameters.
    TypeError
        When `signed_by` is of another kind.

    See Also
    --------
    verify : Say what a file proves, and what remains to be believed.

    Notes
    -----
    Privacy: a file has what was released and what is public, and may be published as
    the fitted estimator may. It has neither `random_state` nor the key of the noise.

    On another machine the last bits may differ, where its linear algebra adds up in
    another order; a warning says by how much.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skdpgmm import DPGaussianMixture, load
    >>> X, _ = load_iris(return_X_y=True)
    >>> mixture = DPGaussianMixture(3, epsilon=8.0).fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     mixture.save(Path(folder) / "mixture.safetensors")
    ...     loaded = load(Path(folder) / "mixture.safetensors")
    >>> bool((loaded.means_ == mixture.means_).all())
    True
    """
    file = read(path)
    key = None if signed_by is None else bytes_of(signed_by)
    # A signature that is wrong is refused where that can be seen.
    looked_at = key is not None or (file.signature is not None and is_there())
    if looked_at and (reason := unsigned(file, key)):
        raise ValueError(f"{Path(path).name} is not signed as it should be: {reason}.")
    rebuilt = rebuild(file)
    if different := [*rebuilt.different, *(rebuilt.retrained or ())]:
        warnings.warn(
            f"{type(rebuilt.estimator).__name__} was rebuilt from its releases, and is "
            f"not to the bit what was saved: {different[0].text}. Versions or machines "
            "that compute otherwise do that; `verify` says more.",
            stacklevel=2,
        )
    return rebuilt.estimator


def unsigned(file: ModelFile, key: bytes | None) -> str | None:
    """Return why a file is not signed, by a key or by the one it names, or None."""
    if file.signature is None:
        return "it has no signature"
    if key is not None and file.signature.public_key != key:
        return f"its key is {file.signature.public_key.hex()}"
    return None if file.signature.holds(file.digest) else "its signature is wrong"
