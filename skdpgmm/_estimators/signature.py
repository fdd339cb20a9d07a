"""Signatures of files of models: Ed25519 [1]_, over what their digest is of.

References
----------
.. [1] S. Josefsson, I. Liusvaara, "Edwards-Curve Digital Signature Algorithm (EdDSA)",
   RFC 8032, 2017.
"""

from __future__ import annotations

from typing import Any, NamedTuple

# A key signs other things too: none of them begins with this.
_CONTEXT = b"skdpgmm model, sha256 "
_MISSING = (
    "Signatures need the package cryptography: pip install 'skdpgmm[signing]' installs "
    "it."
)


class Signature(NamedTuple):
    """What a file says of who has signed it.

    Attributes
    ----------
    public_key : bytes of length 32
    signature : bytes of length 64
    """

    public_key: bytes
    signature: bytes

    @classmethod
    def of(cls, digest: str, signing_key: Any) -> Signature:
        """Return the signature of a digest by a key, or say why it is none."""
        _, private, raw = _classes()
        if not isinstance(signing_key, private):
            raise TypeError(
                "signing_key must be an Ed25519PrivateKey of the package cryptography, "
                f"got an object of type {type(signing_key).__name__}."
            )
        key = signing_key.public_key().public_bytes(**raw)
        return cls(key, signing_key.sign(_CONTEXT + digest.encode()))

    @classmethod
    def read(cls, said: Any) -> Signature:
        """Return what `as_json` has written."""
        try:
            key, signature = (
                bytes.fromhex(said[name]) for name in ("public_key", "signature")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("The signature in the file is damaged.") from error
        return cls(key, signature)

    def as_json(self) -> dict[str, str]:
        """Return it as JSON can say it."""
        return {name: value.hex() for name, value in self._asdict().items()}

    def holds(self, digest: str) -> bool:
        """Return whether whoever has the key has signed this digest."""
        from cryptography.exceptions import InvalidSignature

        public, _, _ = _classes()
        try:
            key = public.from_public_bytes(self.public_key)
            key.verify(self.signature, _CONTEXT + digest.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def bytes_of(signed_by: Any) -> bytes:
    """Return a public key as bytes, or say why it is none."""
    public, _, raw = _classes()
    if not isinstance(signed_by, public):
        raise TypeError(
            "signed_by must be an Ed25519PublicKey of the package cryptography, got an "
            f"object of type {type(signed_by).__name__}."
        )
    return signed_by.public_bytes(**raw)


def is_there() -> bool:
    """Return whether signatures can be checked here."""
    try:
        _classes()
    except ImportError:
        return False
    return True


def _classes():
    """Return the classes of public and private keys, and what writes keys as bytes."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError as error:
        raise ImportError(_MISSING) from error
    raw = {"encoding": Encoding.Raw, "format": PublicFormat.Raw}
    return ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey, raw
