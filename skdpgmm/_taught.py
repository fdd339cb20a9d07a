"""A labelled mixture whose rows are labelled, and placed, by a private head."""

from __future__ import annotations

from skdpgmm._head import release_class_counts, release_second_moment
from skdpgmm._label_model import fit_label_model
from skdpgmm._placement import place_components
from skdpgmm.privacy.accounting import split_mu

_SHARES = {"counts": 0.01, "moment": 0.15, "head": 0.84}
_N_FEATURES = 512


def fit_taught_mixture(
    records, ball, middle, n_classes, noisy_n, mu, public_rng, prior=None
):
    """Fit a label model, and a mixture with one component for each class around it.

    Parameters
    ----------
    records : PrivateRecords
        The private rows, with their classes.
    ball : Ball
        Clipping and grid.
    middle : float
        A radius that holds half of the records.
    n_classes : int
        Number of classes, public.
    noisy_n : float
        Noisy number of records.
    mu : float
        Budget.
    public_rng : numpy.random.Generator
        Public randomness.
    prior : ndarray of shape (p, p), optional
        Second moment of public records, of any scale.

    Returns
    -------
    mixture : Mixture
        About the centre of the ball.
    model : LabelModel
    n_steps : int
    """
    mus = split_mu(mu, _SHARES)
    counts = release_class_counts(records, ball, n_classes, mus["counts"])
    weights = counts / counts.sum()
    moment = release_second_moment(records, ball, noisy_n, mus["moment"], prior)
    model, n_steps = fit_label_model(
        records,
        ball,
        middle,
        _N_FEATURES,
        counts,
        moment,
        noisy_n,
        mus["head"],
        public_rng,
    )
    coef = model.linear.coef
    second = moment.along(coef - weights @ coef).matrix()
    mixture = place_components(model.linear, weights, second, public_rng)
    return mixture, model, n_steps
