"""Keys sign what is fitted, and tell who has signed a file."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from skdpgmm._cli.keys import private_key, public_key
from skdpgmm._cli.refusals import RefusedError

PUBLIC = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PRIVATE = (Encoding.PEM, PrivateFormat.PKCS8)


@pytest.fixture
def keys(tmp_path):
    """Write a pair of keys, and another public one."""
    ours, other = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    (tmp_path / "ours").write_bytes(ours.private_bytes(*PRIVATE, NoEncryption()))
    (tmp_path / "ours.pub").write_bytes(ours.public_key().public_bytes(*PUBLIC))
    (tmp_path / "other.pub").write_bytes(other.public_key().public_bytes(*PUBLIC))
    return tmp_path


def test_a_model_is_signed_and_checked(keys, run, folder):
    model = keys / "model.safetensors"
    args = ("fit", folder / "rows.npz", model, "--method", "kmeans", "--epsilon", 3)
    assert run(*args, "--sign-with", keys / "ours").code == 0
    found = run("verify", model, "--signed-by", keys / "ours.pub")
    assert found.code == 0 and "the key that was asked for" in found.out
    for json in ((), ("--json",)):
        assert run("verify", model, "--signed-by", keys / "other.pub", *json).code == 1
    page = keys / "report.md"
    assert run("report", model, page, "--signed-by", keys / "ours.pub").code == 0
    assert "the key that was asked for" in page.read_text()
    # One that nobody has signed is not what was asked for.
    unsigned = folder / "kmeans.safetensors"
    assert run("verify", unsigned, "--signed-by", keys / "ours.pub").code == 1


def test_none_is_none():
    assert public_key(None) is None and private_key(None) is None


def test_other_keys_are_refused(keys):
    ours = private_key(keys / "ours")
    curve = ec.generate_private_key(ec.SECP256R1())
    locked = ours.private_bytes(*PRIVATE, BestAvailableEncryption(b"x"))
    (keys / "locked").write_bytes(locked)
    (keys / "curve").write_bytes(curve.private_bytes(*PRIVATE, NoEncryption()))
    (keys / "curve.pub").write_bytes(curve.public_key().public_bytes(*PUBLIC))
    for name in ("locked", "curve", "ours.pub"):
        with pytest.raises(RefusedError, match="must be a key of Ed25519"):
            private_key(keys / name)
    for name in ("curve.pub", "ours"):
        with pytest.raises(RefusedError, match="must be a key of Ed25519"):
            public_key(keys / name)
