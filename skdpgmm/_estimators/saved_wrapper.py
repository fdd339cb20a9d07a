"""What a wrapper puts into a file: its synthesizer, and the way on from there.

All that comes after the synthesizer is made once more when it is loaded, from the same
rows: their key is public, as they may be.
"""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from skdpgmm._estimators.model_file import Packer, unpack, write
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.replay import Replayed, whole_transcript
from skdpgmm._estimators.saved import head, part_of

# Classifiers that a file may name. Each is trained when the file is loaded, by numbers
# that somebody wrote, so that there has to be an end to it.
CLASSIFIERS: dict[str, Any] = {"LogisticRegression": LogisticRegression}
# Numbers in the rows that are drawn, which are 0.8 GB, and how often one is seen.
_MOST_NUMBERS, _MOST_WORK = 10**8, 10**11
_EPOCHS = 30  # of the network
# They change time only.
_LEFT_OUT = ("n_jobs", "verbose")
# What of a trained classifier is compared.
_TRAINED = ("coef_", "intercept_", "coefs_", "intercepts_")


class SavedWrapper(SharedTexts):
    """A wrapper that can be saved where its synthesizer can."""

    # Of the rows that something was trained on, where something was.
    _training_key: int | None = None

    def save(self: Any, path, *, signing_key=None) -> None:
        """Write what was fitted to a file that `skdpgmm.load` reads.

        The file has that of the synthesizer, and the key of the rows that were drawn
        to train on: what was trained is trained again when it is loaded, at no cost of
        privacy.

        Parameters
        ----------
        {saved}

        Raises
        ------
        ValueError
            When the synthesizer cannot be saved, or too many rows were drawn from it.
        TypeError
            When the synthesizer or the classifier is one that a file cannot name, a
            parameter is of a kind that a file has no place for, or the key is of
            another kind.
        """
        check_is_fitted(self, "synthesizer_")
        write(path, *documented_wrapper(self), signing_key)


def documented_wrapper(wrapper: Any) -> tuple[dict[str, Any], dict]:
    """Return what a file of a fitted wrapper says, and its arrays."""
    synthesizer, name = wrapper.synthesizer_, type(wrapper).__name__
    if not isinstance(synthesizer, Replayed):
        raise TypeError(
            f"This {name} cannot be saved, as its {type(synthesizer).__name__} is no "
            "estimator that a file can name. Pickle it, or have skops write it."
        )
    packer, inner = Packer(), Packer("synthesizer.")
    transcript, report = whole_transcript(synthesizer), wrapper.privacy_
    document = {
        **head(report, packer),
        "estimator": name,
        "parameters": {
            one: packer.pack(value, f"parameters.{one}")
            for one, value in wrapper.get_params(deep=False).items()
            if one not in ("synthesizer", "classifier", "random_state")
        },
        "default": wrapper.synthesizer is None,
        "synthesizer": part_of(synthesizer, transcript, report.seeded, inner),
    }
    if wrapper._training_key is not None:
        document["training"] = _training(wrapper, packer)
    return document, packer.arrays | inner.arrays


def _training(wrapper, packer):
    classifier, made = wrapper.classifier, wrapper.classifier_
    if classifier is not None and type(classifier) not in CLASSIFIERS.values():
        raise TypeError(
            f"This {type(wrapper).__name__} cannot be saved: a file can name no "
            f"classifier but {', '.join(CLASSIFIERS)} and the network that is the "
            f"default, got {type(classifier).__name__}. Save `synthesizer_`, and train "
            "on its rows again, which costs nothing; or pickle it, or have skops write "
            "it."
        )
    check_training(classifier, wrapper.n_samples, wrapper.n_features_in_)
    return {
        "key": f"{wrapper._training_key:032x}",
        "classifier": None
        if classifier is None
        else {
            "estimator": type(classifier).__name__,
            "parameters": {
                one: packer.pack(value, f"classifier.{one}")
                for one, value in classifier.get_params(deep=False).items()
                if one not in _LEFT_OUT
            },
        },
        "attributes": {
            path: packer.pack(value, f"trained.{path}") for path, value in trained(made)
        },
    }


def trained(classifier):
    """Yield what a classifier has learned: a path, and an array."""
    for name in _TRAINED:
        value = getattr(classifier, name, None)
        if isinstance(value, list):
            for i, one in enumerate(value):
                yield f"classifier_.{name}.{i}", one
        elif value is not None:
            yield f"classifier_.{name}", value


def classifier_of(said: dict | None) -> Any:
    """Return the classifier that a file names, not fitted; None is the network."""
    if said is None:
        return None
    if said["estimator"] not in CLASSIFIERS:
        raise ValueError(f"{said['estimator']!r} is no classifier of a file.")
    parameters = {
        name: unpack(one, {})
        for name, one in said["parameters"].items()
        if name not in _LEFT_OUT
    }
    return CLASSIFIERS[said["estimator"]](**parameters)


def check_training(classifier, n_samples, n_features):
    """Refuse a training that takes too much memory, or may not come to an end."""
    n_numbers = n_samples * n_features
    work = n_numbers * (_EPOCHS if classifier is None else classifier.max_iter)
    if n_numbers > _MOST_NUMBERS or work > _MOST_WORK:
        raise ValueError(
            f"n_samples={n_samples} rows of {n_features} numbers, with as many "
            f"iterations as max_iter allows, are more than a file may ask for, "
            f"{_MOST_NUMBERS:.0e} numbers and {_MOST_WORK:.0e} times one. Save "
            "`synthesizer_`, and train on its rows."
        )
