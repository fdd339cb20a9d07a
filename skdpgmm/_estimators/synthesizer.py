"""Differentially private synthesis of labelled embeddings."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from skdpgmm._algorithms import choices, class_choices
from skdpgmm._algorithms.ball import find_ball
from skdpgmm._algorithms.budget import SYNTHESIZER, SYNTHESIZER_OF_KNOWN_NORM
from skdpgmm._algorithms.label_model import ClassSizes, fit_labelled_mixture
from skdpgmm._algorithms.looks import decide_on_sphere, on_unit_sphere
from skdpgmm._algorithms.measured_mixture import measure_clusters
from skdpgmm._algorithms.mixture import Wanted, fit_mixture
from skdpgmm._estimators.base import PrivateEstimator
from skdpgmm._estimators.limits import check_memory, codebook_numbers
from skdpgmm._estimators.mixture_methods import LabelledMixtureMethods
from skdpgmm._estimators.parameters import SCALED
from skdpgmm._estimators.scaling import in_units
from skdpgmm._estimators.transaction import private_fit
from skdpgmm._models.class_shapes import ClassShapes
from skdpgmm._models.covariances import COVARIANCES, Tied
from skdpgmm._models.labelled import LabelledMixture
from skdpgmm._models.scores import LabelModel


class DPEmbeddingSynthesizer(
    LabelledMixtureMethods,
    PrivateEstimator,
    BaseEstimator,
):
    """Synthetic labelled embeddings under (epsilon, delta)-differential privacy.

    Fits Gaussian mixtures to the embeddings of each class, in the same passes for
    all classes, and samples rows and labels from them. What is sampled is private
    for good: train any model on it, as often as you like, at no further cost.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        Number of components of each class, at least 1. "auto" takes up to 8 with a
        label model, as many as have means that can be told from noise in the few
        directions in which records spread most; as many as can each have a shape of
        its own, of what the noisy count leaves to a class, without one; and a number
        that grows with the noisy count without labels, at most 16.
    {privacy}
    {clip_norm}
        It is 1.0 for encoders that normalise. Either way |SYNTHESIZER.ball| of the
        budget are spent to find the scale, the mean of the records and the distances
        to it; with a number nothing of that goes to the scale.
    {center}
        None is found privately.
    {scale}
        With ``normalize=True`` nothing is spent either.
    {bounds}
    covariance_type : {"auto", "full", "tied", "diag", "spherical"}, default="auto"
        Shape of the covariances; "tied" is one matrix for all components. "auto"
        takes "full" when the noisy counts are large enough for a matrix of each
        component to stand out of its noise, and all take 2 GB at most, and "tied"
        otherwise.
    {classes}
    label_model : bool or "auto", default="auto"
        Whether a private softmax head, on the embeddings and random features of
        them, labels the rows and places the components. It needs labels, 1 or "auto"
        components for each class and a tied covariance. "auto" has it where these are
        and there are more than 32 features, as in embeddings: there the rows are far
        better to train on. False is the plain method: components have the means of
        the classes and label their rows.
    normalize : bool or "auto", default="auto"
        Whether synthetic rows are put on the unit sphere. "auto" spends
        |SCALE.number| of the budget, or |SYNTHESIZER.unit_norm| without `scale`, to see
        whether the records lie there, as from encoders that normalise; with `bounds`
        it is False.
    X_public : array-like of shape (n_public, n_features), default=None
        Embeddings of public records by the same encoder; labels are not needed. What
        is like them costs the budget nothing: the mean of the records is shrunk
        toward theirs, and their second moment stands in for what noise hides. As
        every parameter, it is part of pickles and of saved files.
    max_iter : int or "auto", default="auto"
        Number of passes in the metric of the components when there are no labels
        and few features, at least 0; see `DPGaussianMixture`.
    {random_state}
    {computation}

    Attributes
    ----------
    weights_ : ndarray of shape (n_total,)
        Released weights of all components of all classes; sum 1.
    means_ : ndarray of shape (n_total, n_features)
        Released means of the components. Where a label model labels the rows, they
        are not the means of the classes.
    covariances_ : ndarray
        Released covariances, in scikit-learn's shape for `covariance_type_`; where
        there are `class_shapes_`, what these turn for each class.
    precisions_cholesky_ : ndarray
        Cholesky factors of the precisions of `covariances_`; released.
    class_shapes_ : ClassShapes or None
        Released: ``class_shapes_.covariance(covariances_, j)`` is the covariance of
        the components of class ``classes_[j]``. None where there are too few records
        or too little budget for shapes of classes, and without a label model.
    component_classes_ : ndarray of shape (n_total,)
        Class of each component; public. A label model may label rows otherwise.
    classes_ : ndarray of shape (n_classes,) or None
        The public classes, sorted; None without labels.
    class_weights_ : ndarray of shape (n_classes,)
        Released share of each class; ``[1.]`` without labels.
    n_components_ : int
        Number of components of each class that was used, at most; released.
    covariance_type_ : str
        Covariance type that was used; released.
    label_model_ : LabelModel or None
        Released scores of the classes, ``label_model_.scores(X)``. Rows carry the
        label of the largest, or one drawn from their softmax, as the share
        ``label_model_.drawn`` of them does. None without a label model.
    normalize_ : bool
        Whether synthetic rows are put on the unit sphere; released.
    n_iter_ : int
        Number of gradient steps of the label model, or of passes that refined the
        components, or 1 where they are measured in one; released.
    {fitted}

    Raises
    ------
    {refused}

    See Also
    --------
    DPGaussianMixture : An unlabelled mixture with scikit-learn's interface.
    TorchEmbeddingTransformer : Turns images or texts into embeddings.

    Notes
    -----
    Privacy: the fitted attributes and all samples are (epsilon,
    delta)-differentially private. `transform` and `score` of private records are
    as private as these records. Steps before this one in a Pipeline must not
    learn from the private records: a StandardScaler would, unpaid, and a
    `PrivatePipeline` refuses it, and `scale` and `bounds` do the same here.

    The idea of clustering embeddings privately and training on samples is that of
    [1]_.

    References
    ----------
    .. [1] {clustering_embeddings}
    .. [2] {gdp}

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skdpgmm import DPEmbeddingSynthesizer
    >>> X, y = make_blobs(3000, centers=3, n_features=8, random_state=0)
    >>> synthesizer = DPEmbeddingSynthesizer(epsilon=1.0, random_state=0).fit(X, y)
    >>> X_synthetic, y_synthetic = synthesizer.sample(100)
    >>> X_synthetic.shape, y_synthetic.shape
    ((100, 8), (100,))
    >>> X_of_class_2, _ = synthesizer.sample(5, y=2)
    >>> X_of_class_2.shape
    (5, 8)
    """

    # Set by the fit.
    weights_: np.ndarray
    means_: np.ndarray
    covariances_: np.ndarray
    precisions_cholesky_: np.ndarray
    class_shapes_: ClassShapes | None
    component_classes_: np.ndarray
    classes_: np.ndarray | None
    class_weights_: np.ndarray
    n_components_: int
    covariance_type_: str
    label_model_: LabelModel | None
    normalize_: bool
    n_iter_: int

    _parameter_constraints: dict = {
        **SCALED,
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "covariance_type": [StrOptions({"auto", *COVARIANCES})],
        "classes": ["array-like", None],
        "label_model": ["boolean", StrOptions({"auto"})],
        "normalize": ["boolean", StrOptions({"auto"})],
        "X_public": ["array-like", None],
        "max_iter": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
    }

    _takes_labels = "optional"

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        epsilon: float = 1.0,
        delta: float = 1e-5,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        clip_norm: float | str = "auto",
        center: ArrayLike | None = None,
        scale: str | None = "auto",
        bounds: ArrayLike | None = None,
        covariance_type: str = "auto",
        classes: ArrayLike | None = None,
        label_model: bool | str = "auto",
        normalize: bool | str = "auto",
        X_public: ArrayLike | None = None,
        max_iter: int | str = "auto",
        random_state: int | np.random.RandomState | None = None,
        block_size: int = 8192,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.epsilon = epsilon
        self.delta = delta
        self.adjacency = adjacency
        self.max_contributions = max_contributions
        self.clip_norm = clip_norm
        self.center = center
        self.scale = scale
        self.bounds = bounds
        self.covariance_type = covariance_type
        self.classes = classes
        self.label_model = label_model
        self.normalize = normalize
        self.X_public = X_public
        self.max_iter = max_iter
        self.random_state = random_state
        self.block_size = block_size
        self.n_jobs = n_jobs

    @private_fit()
    def fit(self, X, y=None, groups=None, *, privacy_ids=None, budget=None) -> Self:
        """Fit the mixtures privately.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Private embeddings.
        y : array-like of shape (n_samples,), default=None
            Private labels; None fits one unlabelled mixture.
        {ids}
        {project_budget}

        Returns
        -------
        self : DPEmbeddingSynthesizer
            Fitted estimator.
        """
        return self._fit_privately(X, y, groups, privacy_ids, budget)

    def _check(self, given, n_samples):
        if given.classes is None and self.classes is not None:
            raise ValueError("classes is given, so fit needs y, got y=None.")
        self._check_label_model(given.classes)
        self._check_memory(given.n_classes, given.n_features)

    def _fit(self, session, given):
        n_classes, unsure = given.n_classes, self.normalize == "auto"
        columns = not COVARIANCES.get(self.covariance_type, Tied()).one_scale
        start = in_units(self, session, given, columns)
        view, given, units = start.view, start.given, start.view.units
        self.normalize_ = not unsure and bool(self.normalize)
        if unsure and start.on_sphere is not None:
            self.normalize_, unsure = decide_on_sphere(view, start.on_sphere), False
        # Whoever knows how far features reach does not speak of embeddings.
        unsure = unsure and units is None
        shares = SYNTHESIZER if unsure else SYNTHESIZER_OF_KNOWN_NORM
        budgets = start.budget.split(shares)
        view, median_radius = find_ball(
            view, budgets["ball"], start.clip_norm, given.center, given.public_mean
        )
        if unsure:
            self.normalize_ = on_unit_sphere(view, budgets["unit_norm"])
        k, covariance, with_head = self._choose(view, n_classes, session.budget.mu)
        left, prior, model, n_iter = session.left(), given.public_second, None, 1
        if with_head:
            sizes = self._class_sizes(view, n_classes, session.budget.mu)
            mixture, model, n_iter = fit_labelled_mixture(
                view, median_radius, n_classes, sizes, left, prior
            )
            k = max(sizes.clusters, 1)
        elif n_classes == 1 and view.n_features <= choices.MAX_OVERFIT_FEATURES:
            wanted = Wanted(k, covariance, self.max_iter)
            mixture, n_iter, _ = fit_mixture(view, wanted, left)
        else:
            mixture = measure_clusters(view, k, n_classes, covariance, left, prior)
        self.n_iter_ = max(n_iter, 1)
        labelled = LabelledMixture.of(
            mixture, view.ball.center, self.normalize_, model, session.public_rng, units
        )
        self._store(labelled, given, k)

    def _check_memory(self, n_classes, n_features):
        # What is "auto" is chosen so that it takes little.
        k = 1 if self.n_components == "auto" else self.n_components
        covariance = COVARIANCES.get(self.covariance_type, Tied())
        n_total = n_classes * k
        check_memory(
            max(
                n_total * n_features + math.prod(covariance.shape(n_total, n_features)),
                codebook_numbers(k, n_classes, n_features),
            ),
            f"n_components={self.n_components!r} and covariance_type="
            f"{self.covariance_type!r} with {n_features} features and {n_classes} "
            "classes",
        )

    def _check_label_model(self, classes):
        one_each = self.n_components in (1, "auto")
        tied = COVARIANCES.get(self.covariance_type, Tied()).one_matrix
        labelled = classes is not None and len(classes) > 1
        if self.label_model is True and not (one_each and tied and labelled):
            raise ValueError(
                "label_model=True needs labels of two classes or more, n_components 1 "
                "or 'auto', and covariance_type 'tied' or 'auto', got n_components="
                f"{self.n_components!r}, covariance_type={self.covariance_type!r} and "
                f"classes {None if classes is None else classes.tolist()}."
            )

    def _choose(self, view, n_classes, mu):
        """Return the components of a class, their covariance, and whether a head helps.

        What is "auto" is chosen from public quantities and the noisy count.
        """
        d, asked = view.n_features, self.label_model
        k, name = self.n_components, self.covariance_type
        if k == "auto":
            head = choices.wants_head(asked, d)
            k = view.decide(choices.n_components(view.n, n_classes, d, mu, head))
        if name == "auto":
            name = view.decide(
                choices.covariance_type(view.n, n_classes, k, d, mu, asked)
            )
        covariance = COVARIANCES[name]
        with_head = choices.use_label_model(
            asked, n_classes, k, d, covariance.one_matrix
        )
        if asked == "auto":
            view.decide(with_head)
        return k, covariance, with_head.value

    def _class_sizes(self, view, n_classes, mu):
        """Return what is told of each class: nothing where one component is wanted."""
        given = view.n, n_classes, view.n_features, mu
        if self.n_components != "auto":
            return ClassSizes()
        k = view.decide(class_choices.class_clusters(*given))
        width = view.decide(class_choices.class_shapes(*given)) if k else 0
        if k and not width and view.decide(class_choices.class_means(*given)):
            return ClassSizes(means=True)
        return ClassSizes(k, width)

    def _store(self, mixture, given, k):
        self._mixture, self._dtype = mixture, given.dtype
        found, classes = mixture.in_data(), given.classes
        self.weights_ = found.weights
        self.means_ = found.means
        self.covariances_ = found.covariances
        self.covariance_type_ = found.covariance.name
        known = mixture.units is None
        self.precisions_cholesky_ = mixture.whiteners if known else found.whiteners()
        self.n_components_ = k
        self.classes_ = classes
        codes = found.classes
        self.component_classes_ = codes if classes is None else classes[codes]
        self.class_weights_ = mixture.class_weights()
        self.class_shapes_ = found.covariance.shapes
        if mixture.units is not None and self.class_shapes_ is not None:
            scale = mixture.units.scale
            self.class_shapes_ = self.class_shapes_._replace(scale=scale)
        self.label_model_ = mixture.model
