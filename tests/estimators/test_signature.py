"""Files that are signed: by whom, and that nothing else passes for it."""

import builtins

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from skdpgmm import DPKMeans, load, verify
from skdpgmm._estimators.model_file import read, write

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2))


@pytest.fixture(scope="module")
def fitted():
    X = np.random.default_rng(0).standard_normal((200, 2))
    return DPKMeans(2, epsilon=8.0).fit(X)


@pytest.fixture
def signed(fitted, tmp_path):
    fitted.save(tmp_path / "signed", signing_key=KEY)
    return tmp_path / "signed"


def of_signature(verification):
    return [check for check in verification.checks if check.what == "signature"]


@pytest.mark.parametrize("asked", [None, KEY.public_key()])
def test_a_signature_is_found(signed, asked):
    load(signed, signed_by=asked)
    found = verify(signed, signed_by=asked)
    (check,) = of_signature(found)
    assert found.passed and check.passed
    assert KEY.public_key().public_bytes_raw().hex() in str(found)
    assert ("asked for" in check.found) is (asked is not None)


def test_a_file_needs_no_signature(fitted, tmp_path):
    fitted.save(tmp_path / "plain")
    load(tmp_path / "plain")
    assert not of_signature(verify(tmp_path / "plain"))
    with pytest.raises(ValueError, match="plain is not signed as it should be"):
        load(tmp_path / "plain", signed_by=KEY.public_key())
    found = verify(tmp_path / "plain", signed_by=KEY.public_key())
    assert not found.passed and "has no signature" in str(found)


def test_another_key_is_named(signed):
    with pytest.raises(ValueError, match="its key is 8a88e3dd"):
        load(signed, signed_by=OTHER.public_key())
    assert not verify(signed, signed_by=OTHER.public_key()).passed


def test_a_signature_is_of_one_file(signed, tmp_path, monkeypatch):
    file = read(signed)
    arrays = dict(file.arrays)
    name = next(name for name in arrays if name.startswith("attributes"))
    arrays[name] = arrays[name] + 1
    # Whoever changes a file can make its digest, and not its signature.
    monkeypatch.setattr(
        "skdpgmm._estimators.model_file.Signature.of",
        lambda digest, key: file.signature,
    )
    write(tmp_path / "changed", file.document, arrays, KEY)
    for asked in (None, KEY.public_key()):
        (check,) = of_signature(verify(tmp_path / "changed", signed_by=asked))
        assert check.passed is False and check.found == "its signature is wrong"
        with pytest.raises(ValueError, match="its signature is wrong"):
            load(tmp_path / "changed", signed_by=asked)


def test_a_damaged_signature_is_refused_or_wrong(signed):
    whole = signed.read_bytes()
    at = whole.index(read(signed).signature.signature.hex().encode())
    signed.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    with pytest.raises(ValueError, match="signature in the file is damaged"):
        load(signed)
    flipped = b"0" if whole[at : at + 1] != b"0" else b"1"
    signed.write_bytes(whole[:at] + flipped + whole[at + 1 :])
    assert of_signature(verify(signed))[0].passed is False


@pytest.mark.parametrize("key", [b"1" * 32, "key.pem", X25519PrivateKey.generate()])
def test_other_keys_are_refused(key, fitted, signed, tmp_path):
    with pytest.raises(TypeError, match="signing_key must be an Ed25519PrivateKey"):
        fitted.save(tmp_path / "f", signing_key=key)
    assert not (tmp_path / "f").exists()
    for read_it in (load, verify):
        with pytest.raises(TypeError, match="signed_by must be an Ed25519PublicKey"):
            read_it(signed, signed_by=key)


def test_what_is_missing_is_named(fitted, signed, tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("cryptography"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    load(signed)
    (check,) = of_signature(verify(signed))
    assert check.passed is None and "cryptography is not installed" in check.found
    with pytest.raises(ImportError, match=r"pip install 'skdpgmm\[signing\]'"):
        fitted.save(tmp_path / "f", signing_key=KEY)
