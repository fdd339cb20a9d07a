"""Keys for signatures, out of files of the format PEM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skdpgmm._cli.refusals import refuse

_WHY = "must be a key of Ed25519 in the format PEM, without a password"


def public_key(path: Path | None) -> Any:
    """Return the key that checks a signature; None is none."""
    if path is None:
        return None
    serialization, ed25519 = _modules()
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except ValueError:
        refuse(f"{path} {_WHY}.")
    if not isinstance(key, ed25519.Ed25519PublicKey):
        refuse(f"{path} {_WHY}.")
    return key


def private_key(path: Path | None) -> Any:
    """Return the key that signs; None is none."""
    if path is None:
        return None
    serialization, ed25519 = _modules()
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        refuse(f"{path} {_WHY}.")
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        refuse(f"{path} {_WHY}.")
    return key


def _modules():
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ImportError(
            "Keys need the package cryptography: pip install 'skdpgmm[signing]'"
        ) from error
    return serialization, ed25519
