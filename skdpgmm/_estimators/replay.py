"""A fit once more, from what it was told: without a record, to the same result."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted

from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm._estimators.framed import FramedSamples
from skdpgmm._estimators.model_file import write
from skdpgmm._estimators.parameters import SharedTexts
from skdpgmm._estimators.saved import documented
from skdpgmm._estimators.session import Session
from skdpgmm._estimators.transcript import Transcript
from skdpgmm._rows.blocks import one_blas_thread
from skdpgmm._rows.recorded import Recorded
from skdpgmm._rows.rehearsal import NO_NOISE
from skdpgmm.privacy.records import MAX_ROWS


def say_instead(fitted, report):
    """Have what was fitted say what it has cost with all else that made it."""
    for one in (fitted, getattr(fitted, "synthesizer_", None)):
        if one is not None:
            one.privacy_ = report


def whole_transcript(fitted) -> Transcript:
    """Return what a fit was told, or say that it is not all that made it."""
    if fitted._transcript is None:
        raise ValueError(
            f"This {type(fitted).__name__} went on from another fit (warm_start=True), "
            "or was fitted to what a private step of a pipeline has made of the "
            "records, so that its own releases are not all that made it: it cannot be "
            "saved. Pickle it, or fit it at once."
        )
    return fitted._transcript


class Replayed(SharedTexts):
    """An estimator whose fits can be saved, and made once more from what was saved."""

    # What the fit was told; None where that is not all that made it.
    _transcript: Transcript | None

    def save(self: Any, path, *, signing_key=None) -> None:
        """Write the fitted estimator to a file that `skdpgmm.load` reads.

        The file has the parameters, what else is public, every release, and the fitted
        attributes; not `random_state`, nor what the noise was made of. That of the
        winner of a search has the ledger of the whole search, too. It is one of the
        format safetensors, and replaces one that is there.

        Parameters
        ----------
        {saved}

        Raises
        ------
        ValueError
            When the estimator went on from another fit by `warm_start`, or stands
            behind a private step of a `PrivatePipeline`.
        TypeError
            When a parameter is of a kind that a file has no place for, or the key is
            of another kind.
        """
        check_is_fitted(self)
        write(path, *documented(self, whole_transcript(self)), signing_key)

    def _replay(self: Any, transcript, recorded=Recorded):
        """Fit by a transcript, in place, or raise what an algorithm says to it.

        All that `fit` does happens again, but that the records are looked at: what the
        releases were stands in the transcript. The algorithm has to ask for them by the
        same names, in the same order and of the same shape. `recorded` makes what
        answers in the place of the records.
        """
        self._validate_params()
        given = self._given(transcript.n_features, transcript.classes, transcript.dtype)
        given = given._replace(in_frame=transcript.in_frame)
        self._check(given, MAX_ROWS)
        account = self._new_account(given, transcript.enforced)
        answers = recorded([told.numbers for told in transcript.releases])
        records = account.behind(answers, NO_NOISE)
        session = Session.of(records, account, transcript.public_key)
        self._warnings: list = []
        with collected_doubts(), one_blas_thread():
            self._fit(session, given)
        del self._warnings
        names = [told.name for told in session.told]
        if answers.n_left or names != [told.name for told in transcript.releases]:
            raise ValueError("The fit asks for other releases than there are.")
        self.privacy_ = account.report()
        self.n_features_in_ = transcript.n_features
        self._like = None
        if isinstance(self, FramedSamples):
            self._keep_containers(None, None)
        self._transcript = transcript
