"""Rows come out of files as they went in, and files are whole or not there."""

import numpy as np
import pytest
from private_fits import make_data
from pyarrow import parquet

from skdpgmm._cli.refusals import RefusedError
from skdpgmm._cli.tables import SUFFIXES, Writer, read


def whole(column):
    return column if isinstance(column, np.ndarray) else np.concatenate(list(column))


@pytest.mark.parametrize("name", ["rows.npz", "rows.parquet"])
@pytest.mark.parametrize("label, is_text", [("label", False), ("name", True)])
def test_columns_are_found(name, label, is_text, folder):
    X, y = make_data(400, 3)
    given = read(folder / name, None, label, "person")
    assert np.array_equal(whole(given.rows), X)
    assert given.text_labels is is_text
    expected = np.array(["ant", "bee", "cow"])[y] if is_text else y
    assert np.array_equal(whole(given.labels), expected)
    assert np.array_equal(whole(given.ids), np.arange(400) // 2)
    alone = read(folder / name, None, None, None)
    assert alone.labels is None and alone.ids is None and not alone.text_labels


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read(suffix, tmp_path):
    X, y = make_data(100, 3)
    names = np.array(["ant", "bee", "cow"], dtype=object)[y]
    path = tmp_path / f"new{suffix}"
    with Writer(path) as writer:
        for part in (slice(0, 60), slice(60, 100)):
            writer.write(X[part], {"label": names[part], "number": y[part]})
    for label, expected in (("label", names), ("number", y)):
        given = read(path, None, label, None)
        assert np.array_equal(whole(given.rows), X)
        assert np.array_equal(whole(given.labels), expected)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_of_what_fails(suffix, tmp_path):
    with pytest.raises(ZeroDivisionError), Writer(tmp_path / f"a{suffix}") as writer:
        writer.write(np.ones((2, 2)), {})
        raise ZeroDivisionError
    rows = "X" if suffix == ".npz" else "embedding"
    with (
        pytest.raises(RefusedError, match="may not be called"),
        Writer(tmp_path / f"b{suffix}") as writer,
    ):
        writer.write(np.ones((2, 2)), {rows: [1, 2]})
    assert not list(tmp_path.iterdir())


def test_what_is_no_table_is_refused(folder, tmp_path):
    for path, names, why in [
        (tmp_path / "nowhere.npz", {}, "is not there"),
        (folder / "kmeans.safetensors", {}, "must be a .parquet or .npz file"),
        (folder / "rows.npz", {"label": "no"}, "has arrays .* and no no"),
        (folder / "rows.parquet", {"person": "no"}, "has columns .* and no no"),
    ]:
        given = {"rows": None, "label": None, "person": None, **names}
        with pytest.raises(RefusedError, match=why):
            read(path, **given)


def test_a_pickle_is_never_opened(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read(tmp_path / "a.npz", None, None, None)


def test_parquet_has_lists_of_one_length(tmp_path):
    with Writer(tmp_path / "a.parquet", "rows") as writer:
        writer.write(np.ones((2, 3), np.float32), {})
    kind = parquet.read_schema(tmp_path / "a.parquet").field("rows").type
    assert str(kind) == "fixed_size_list<element: float>[3]"
