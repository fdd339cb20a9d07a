"""The format: whole or refused, and values that come back as they were."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

from skdpgmm._estimators.model_file import FORMAT, VERSION, Packer, read, unpack, write

DOCUMENT = {"format": FORMAT, "version": VERSION, "n": 3}
ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(4)}


def test_what_is_written_is_read(tmp_path):
    digest = write(tmp_path / "f", DOCUMENT, ARRAYS)
    file = read(tmp_path / "f")
    assert (file.document, file.digest) == (DOCUMENT, digest)
    assert file.n_bytes == (tmp_path / "f").stat().st_size
    assert file.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(file.arrays[name], array, strict=True)


def test_a_file_is_replaced_at_once_or_not_at_all(tmp_path):
    write(tmp_path / "f", DOCUMENT, ARRAYS)
    before = (tmp_path / "f").read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(tmp_path / "f", {**DOCUMENT, "n": float("nan")}, ARRAYS)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write(tmp_path / "folder", DOCUMENT, ARRAYS)
    assert (tmp_path / "f").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "folder"]


def test_the_digest_goes_over_all_of_it(tmp_path):
    digests = {
        write(tmp_path / "f", document, arrays)
        for document, arrays in [
            (DOCUMENT, ARRAYS),
            ({**DOCUMENT, "n": 4}, ARRAYS),
            (DOCUMENT, {**ARRAYS, "b": np.arange(4) + 1}),
            (DOCUMENT, {**ARRAYS, "a": ARRAYS["a"].T}),
            (DOCUMENT, {**ARRAYS, "a": ARRAYS["a"].view(np.int64)}),
            (DOCUMENT, {"a": ARRAYS["a"], "c": ARRAYS["b"]}),
            (DOCUMENT, {"a": ARRAYS["a"]}),
        ]
    }
    assert len(digests) == 7


def test_every_byte_that_changes_is_found(tmp_path):
    write(tmp_path / "f", DOCUMENT, ARRAYS)
    whole = (tmp_path / "f").read_bytes()
    rng = np.random.default_rng(0)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        (tmp_path / "f").write_bytes(changed)
        try:
            found = read(tmp_path / "f")
        except ValueError:
            continue
        # JSON has more than one way to write a thing, and padding says nothing.
        assert found.document == DOCUMENT
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found.arrays[name], array, strict=True)


@pytest.mark.parametrize("n_bytes", [0, 1, 7, 8, 100, -1])
def test_what_was_cut_off_is_found(n_bytes, tmp_path):
    write(tmp_path / "f", DOCUMENT, ARRAYS)
    (tmp_path / "f").write_bytes((tmp_path / "f").read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        read(tmp_path / "f")


@pytest.mark.parametrize(
    "header, message",
    [
        (None, "not one that skdpgmm has written"),
        ({"other": "{}"}, "not one that skdpgmm has written"),
        ({"skdpgmm": "{"}, "header is damaged"),
        ({"skdpgmm": "[" * 10_000}, "header is damaged"),
        ({"skdpgmm": '{"n": NaN}'}, "has NaN, which is no number"),
        ({"skdpgmm": "[]"}, "not one that skdpgmm has written"),
        (
            {"skdpgmm": json.dumps({**DOCUMENT, "version": 2})},
            "version 2 of the format",
        ),
        ({"skdpgmm": json.dumps(DOCUMENT)}, "is damaged: its digest"),
    ],
)
def test_other_files_are_refused(header, message, tmp_path):
    (tmp_path / "f").write_bytes(save(ARRAYS, header))
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "f")


def test_other_types_are_refused(tmp_path):
    write(tmp_path / "f", DOCUMENT, {"a": np.zeros(3, dtype=np.float16)})
    with pytest.raises(ValueError, match=r"a must be one of .* got float16"):
        read(tmp_path / "f")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2**70,
        0.1,
        -0.0,
        float("inf"),
        float("nan"),
        "größe",
        np.arange(3),
        np.arange(3.0).astype(np.float32),
        np.zeros((0, 2)),
        np.array(["a", "b"]),
        np.array(["a", 1, None, 2.5], dtype=object),
        {"a": 1, "b": float("inf")},
        {3: 0.5},
    ],
    ids=repr,
)
def test_values_come_back_as_they_were(value):
    packer = Packer()
    packed = json.loads(json.dumps(packer.pack(value, "x"), allow_nan=False))
    found = unpack(packed, packer.arrays)
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        np.testing.assert_array_equal(found, value, strict=True)
    else:
        assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "value, expected",
    [
        (np.float64(0.5), 0.5),
        (np.int8(3), 3),
        ([1, 2], np.array([1, 2])),
        (np.array([1, 2], dtype=np.uint8), np.array([1, 2])),
        (((0.0, 1.0), (2.0, 3.0)), np.array([[0.0, 1.0], [2.0, 3.0]])),
    ],
    ids=repr,
)
def test_others_come_back_as_what_is_equal(value, expected):
    packer = Packer()
    found = unpack(packer.pack(value, "x"), packer.arrays)
    np.testing.assert_array_equal(found, expected)
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", [(-1.0, np.ones(3)), [[0.5, 2.0], 3.0]])
def test_numbers_beside_arrays_have_a_place(value):
    packer = Packer()
    found = unpack(packer.pack(value, "x"), packer.arrays)
    assert type(found) is tuple
    for one, other in zip(found, value, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isscalar(one) is np.isscalar(other)


@pytest.mark.parametrize("value", [object(), b"a", np.array([1j]), [[1], [2, 3]]])
def test_values_without_a_place_are_refused(value):
    with pytest.raises((TypeError, ValueError)):
        Packer().pack(value, "x")


@pytest.mark.parametrize(
    "packed", [[], {}, {"a": 1}, {"array": "none"}, {"list": [1], "dtype": "x"}]
)
def test_other_values_are_refused(packed):
    with pytest.raises((ValueError, KeyError)):
        unpack(packed, {})
