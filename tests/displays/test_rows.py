"""Rows, records and ellipses stand where the plane has them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from numpy.testing import assert_allclose, assert_array_equal
from private_fits import make_data

from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture
from skdpgmm.displays import SyntheticRowsDisplay

X, Y = make_data(400, 4)
SYNTHESIZER = DPEmbeddingSynthesizer(epsilon=20.0).fit(X, Y)


def points(ax):
    (found,) = ax.collections
    return np.asarray(found.get_offsets())


def test_rows_and_ellipses_without_a_record():
    display = SyntheticRowsDisplay.from_estimator(
        SYNTHESIZER, n_samples=50, random_state=1, s=3
    )
    assert display.records is None
    rows, labels = SYNTHESIZER.sample(50, random_state=1)
    assert_array_equal(points(display.ax_), display.rows)
    assert_array_equal(display.labels, labels)
    # Distances in a plane are no longer than in the whole space.
    whole = np.linalg.norm(rows - rows[0], axis=1)
    assert np.all(
        np.linalg.norm(display.rows - display.rows[0], axis=1) <= whole + 1e-9
    )
    assert len(display.ellipses_) == len(SYNTHESIZER.means_)
    assert_allclose([e.center for e in display.ellipses_], display.centers)
    (drawn,) = display.ax_.collections
    assert drawn.get_sizes().tolist() == [3]
    shades = {tuple(c[:3]) for c in drawn.get_facecolors()}
    assert shades == {to_rgba(e.get_edgecolor())[:3] for e in display.ellipses_}
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == ["0", "1", "2"]


def test_the_plane_does_not_depend_on_records():
    one = SyntheticRowsDisplay.from_model(SYNTHESIZER, X[:30], random_state=0)
    other = SyntheticRowsDisplay.from_model(SYNTHESIZER, 100.0 * X, Y, random_state=0)
    assert_array_equal(one.rows, other.rows)
    assert_array_equal(one.centers, other.centers)
    assert_array_equal(one.covariances, other.covariances)


@pytest.mark.parametrize("y", [None, Y])
def test_records_beside_rows(y):
    display = SyntheticRowsDisplay.from_estimator(SYNTHESIZER, X, y, n_samples=9)
    records, rows = display.ax_
    assert_array_equal(points(records), display.records)
    assert_array_equal(points(rows), display.rows)
    assert records.get_title() == "records, exactly as they are"
    assert records.get_xlim() == rows.get_xlim()
    n_colors = len(np.unique(records.collections[0].get_facecolors(), axis=0))
    assert n_colors == (1 if y is None else 3)


def test_two_features_keep_their_names():
    frame = pd.DataFrame(X[:, :2], columns=["height", "weight"])
    mixture = DPGaussianMixture(2, epsilon=9.0).fit(frame)
    display = SyntheticRowsDisplay.from_estimator(mixture, frame, n_samples=9)
    assert_array_equal(display.records, X[:, :2])
    assert display.ax_[1].get_xlabel() == "height"
    assert display.ax_[0].get_ylabel() == "weight"


def test_ellipses_hold_as_many_deviations_as_are_asked_for():
    display = SyntheticRowsDisplay.from_model(SYNTHESIZER)
    two = display.plot().ellipses_[0]
    one = display.plot(n_std=1.0).ellipses_[0]
    assert (two.width, two.height) == pytest.approx((2 * one.width, 2 * one.height))
    assert display.plot(n_std=0).ellipses_ == []


def test_many_classes_have_no_legend():
    rows = np.zeros((20, 2))
    display = SyntheticRowsDisplay(
        rows=rows,
        labels=np.arange(20),
        centers=rows,
        covariances=np.broadcast_to(np.eye(2), (20, 2, 2)),
        component_labels=np.arange(20),
        axis_names=("a", "b"),
    ).plot()
    assert display.ax_.get_legend() is None
    assert len({e.get_edgecolor() for e in display.ellipses_}) == 20


def test_bad_input(pyplot):
    from_model = SyntheticRowsDisplay.from_model
    with pytest.raises(ValueError, match="X must have 4 features, as in fit, got 3"):
        from_model(SYNTHESIZER, X[:, :3])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        from_model(SYNTHESIZER, X, Y[:-1])
    with pytest.raises(ValueError, match="at least 2 features, got 1"):
        from_model(DPGaussianMixture(2).fit(X[:, :1]))
    _, ax = pyplot.subplots()
    with pytest.raises(ValueError, match="ax must be 2 axes"):
        from_model(SYNTHESIZER, X).plot(ax)
