"""Intervals that a language model calls anomalous."""

from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._scales import SafeRange, center_and_scale
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._clock import Stretches
from skanomaly.sequence._series._language_text import picture_of, read_intervals, text_of
from skanomaly.sequence._windows import stretches

__all__ = ["LanguageAnswer", "SeriesLanguageAdapter"]

_PROMPT = (
    "Here is a series of {n_timepoints} time points, numbered from 0 to {last}, with {n_channels} values each. Find "
    "the intervals of time points that are anomalous compared with the rest of the series. Answer with a JSON list and "
    'nothing else, for example [{{"start": 10, "end": 14}}], where both ends belong to the interval; [] if there is '
    "none.\n{series}"
)
_FIELDS = {"n_timepoints": 1, "last": 0, "n_channels": 1, "series": ""}


class LanguageAnswer(NamedTuple):
    """What was asked about a window, and what was answered.

    Parameters
    ----------
    start, stop : int
        The window has the time points `start` to `stop` - 1 of the series.
    prompt : str
    answer : object
        As the client returned it; None if it raised an error.
    intervals : list of tuple of int
        First and last time point of each interval, counted in the series.
    error : str
        Why there are no intervals; empty if the answer could be read.

    Examples
    --------
    >>> from skanomaly.sequence import LanguageAnswer
    >>> LanguageAnswer(0, 100, "Find the anomalies ...", "[[3, 5]]", [(3, 5)], "").intervals
    [(3, 5)]
    """

    start: int
    stop: int
    prompt: str
    answer: Any
    intervals: list[tuple[int, int]]
    error: str


class SeriesLanguageAdapter(SeriesDetector):
    """Flags the intervals that a language model calls anomalous, from the series as text or as a picture.

    The model is any object that answers a prompt. This class writes the prompts, reads the answers, and says what
    happened where an answer cannot be read.

    Parameters
    ----------
    client : object
        Has a method ``complete(prompt, image=None)`` that returns text. `image` is a PNG file as bytes.
    representation : {"text", "picture", "both"}, default="picture"
        What the model is given.
    prompt : str or None, default=None
        Question, with the fields ``{n_timepoints}``, ``{last}``, ``{n_channels}`` and ``{series}``; the last is empty
        for "picture". None is a short question that asks for a JSON list of intervals.
    window_size : int, default=1000
        Time points per question, at least 1. A longer series is asked about part by part.
    decimals : int, default=2
        Digits of the values in text, in standard deviations of the channel in training; 0 to 9.
    max_attempts : int, default=2
        How often a question is asked until its answer can be read, at least 1.
    on_error : {"raise", "warn"}, default="raise"
        What to do after `max_attempts` without an answer that can be read: raise an error, or warn and give the time
        points no score.

    Attributes
    ----------
    offset_ : float
        -0.5: time points inside an interval score -1, others 0.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    SubsequenceNeighbors : Needs no model, and is more accurate in the study below.

    Notes
    -----
    [1]_ asks multimodal models for intervals in series of 1,000 time points. There, pictures are better than text,
    asking for reasons does not help, and only simple anomalies are found; compare with other detectors by the
    affiliation metrics of :func:`skanomaly.metrics.affiliation_precision_recall_fscore`, as the study does. `fit` asks
    nothing: it estimates the centre and scale of the channels. The last JSON list in an answer is read, also in a
    fenced block; its entries are objects with "start" and "end", or pairs. Scores depend on the client: with the same
    answers they are the same.

    References
    ----------
    .. [1] Zhou, Z. and Yu, R. (2025). "Can LLMs understand time series anomalies?" ICLR. arXiv:2410.05440.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import SeriesLanguageAdapter
    >>> class Client:
    ...     def complete(self, prompt, image=None):
    ...         return 'The values jump: [{"start": 40, "end": 42}]'
    >>> detector = SeriesLanguageAdapter(Client(), representation="text").fit(
    ...     np.sin(np.arange(100.0))
    ... )
    >>> np.flatnonzero(detector.predict(np.sin(np.arange(100.0))) == -1).tolist()
    [40, 41, 42]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "client": [HasMethods(["complete"]), None],
        "representation": [StrOptions({"text", "picture", "both"})],
        "prompt": [str, None],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "decimals": [Interval(Integral, 0, 9, closed="both")],
        "max_attempts": [Interval(Integral, 1, None, closed="left")],
        "on_error": [StrOptions({"raise", "warn"})],
    }

    def __init__(
        self,
        client: Any = None,
        *,
        representation: str = "picture",
        prompt: str | None = None,
        window_size: int = 1000,
        decimals: int = 2,
        max_attempts: int = 2,
        on_error: str = "raise",
    ) -> None:
        self.client = client
        self.representation = representation
        self.prompt = prompt
        self.window_size = window_size
        self.decimals = decimals
        self.max_attempts = max_attempts
        self.on_error = on_error

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> NDArray[np.float64]:
        if self.client is None:
            raise ValueError("client=None: give an object with a method complete(prompt, image=None).")
        try:
            (_PROMPT if self.prompt is None else self.prompt).format(**_FIELDS)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"prompt has a field that is none of {list(_FIELDS)}, or a single brace: {error}. Write braces twice."
            ) from None
        rows = X.astype(np.float64)
        self._range = SafeRange(rows)
        limited = self._range.apply(rows)
        self._center, self._scale = center_and_scale(limited, self._range.extreme(limited))
        return np.zeros(len(X))  # the threshold needs no scores, and none are asked for

    def _auto_offset(self) -> float:
        return -0.5

    @property
    def _fewest_timepoints(self) -> int:
        return 1

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        out = np.zeros(len(X))
        for answer in self._answers(X):
            if answer.error:
                out[answer.start : answer.stop] = np.nan
            for first, last in answer.intervals:
                out[first : last + 1] = 1.0
        return out

    def _answers(self, X: NDArray[Any], first: int = 0) -> list[LanguageAnswer]:
        """Ask about a stretch of a series, whose first time point has the number `first` in the series."""
        values = (self._range.apply(X.astype(np.float64)) - self._center) / self._scale
        size = int(self.window_size)
        found = [self._asked(values[start : start + size], start) for start in range(0, len(values), size)]
        failed = [answer for answer in found if answer.error]
        if failed:
            place = f"time points {first + failed[0].start} to {first + failed[0].stop - 1}"
            message = f"no answer about {place} after {self.max_attempts} attempts: {failed[0].error}"
            if self.on_error == "raise":
                raise ValueError(f"{message} Set on_error='warn' to leave out what was not answered.")
            warn_user(f"{len(failed)} of {len(found)} questions have no answer; their time points score NaN. {message}")
        return found

    def _asked(self, window: NDArray[np.float64], start: int) -> LanguageAnswer:
        text = text_of(window, int(self.decimals)) if self.representation != "picture" else ""
        image = picture_of(window) if self.representation != "text" else None
        template = _PROMPT if self.prompt is None else self.prompt
        prompt = template.format(
            n_timepoints=len(window), last=len(window) - 1, n_channels=window.shape[1], series=text
        )
        answer, error = None, ""
        for _ in range(int(self.max_attempts)):
            answer = self.client.complete(prompt, image=image)
            try:
                intervals = read_intervals(answer, len(window))
            except ValueError as reason:
                error = str(reason)
                continue
            moved = [(start + first, start + last) for first, last in intervals]
            return LanguageAnswer(start, start + len(window), prompt, answer, moved, "")
        return LanguageAnswer(start, start + len(window), prompt, answer, [], error)

    def ask(self, X: Any) -> list[LanguageAnswer]:
        """Ask about a series, and return the questions and answers.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            Time points with missing values, and jumps of the clock, divide the questions.

        Returns
        -------
        list of LanguageAnswer
            One for each window; answers that cannot be read have an `error`.

        Raises
        ------
        ValueError
            If an answer cannot be read, with ``on_error="raise"``.
        """
        check_is_fitted(self)
        series = self._check(X, reset=False)
        if not isinstance(series, Stretches):
            return self._answers(series)
        found = []
        for part in stretches(len(series.values), series.edges):
            first = int(series.kept[part.start])
            for answer in self._answers(series.values[part], first):
                moved = [(first + start, first + last) for start, last in answer.intervals]
                found.append(answer._replace(start=first + answer.start, stop=first + answer.stop, intervals=moved))
        return found
