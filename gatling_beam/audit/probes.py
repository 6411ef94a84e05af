"""How well a view of the rows tells the labels apart: a linear and a boosted model, cross-validated by family."""

import warnings
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from gatling_beam.audit.features import Bag
from gatling_beam.hashing import digest

_HASHED = 1 << 15
_MIN_ROWS = 3
_TREE_TOKENS = 64
_BOOTSTRAPS = 200
_ONE_SIDED = 0.05

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class ProbeScore(msgspec.Struct, frozen=True):
    """`auc` 0..1 of the better model, as it stands; `distance` is |auc - 0.5| + 0.5, `lower` its 95 % bound.

    An AUC below one half tells as much as one above: a reader turns it round.
    """

    auc: float
    distance: float
    lower: float
    model: str


class ViewMatrix:
    """Bags as matrices: `tokens` hashed and sparse (counts), `numbers` dense (the features named `#...`)."""

    def __init__(self, bags: Sequence[Bag]) -> None:
        tokens = [{name: value for name, value in bag.items() if name[:1] != "#"} for bag in bags]
        numbers = [{name: value for name, value in bag.items() if name[:1] == "#"} for bag in bags]
        hashed = FeatureHasher(_HASHED, alternate_sign=False).transform(tokens).tocsc()
        # What fewer than three rows have cannot be learnt in one fold and used in another.
        self.tokens = hashed[:, np.diff(hashed.indptr) >= _MIN_ROWS].tocsr()
        self.numbers = _frequent(DictVectorizer().fit_transform(numbers).tocsc())
        self.classes = _classes(bags)

    def take(self, rows: npt.NDArray[np.int64]) -> "ViewMatrix":
        """The rows at these places."""
        some = object.__new__(ViewMatrix)
        some.tokens, some.numbers, some.classes = self.tokens[rows], self.numbers[rows], self.classes[rows]
        return some

    def tied(self, negative: Flags) -> bool:
        """Whether each set of equal rows holds the labels in the same shares, so that nothing tells them apart."""
        of, high = np.bincount(self.classes), np.bincount(self.classes, weights=negative)
        return bool(np.all(high * len(negative) == of * negative.sum()))


def probe(view: ViewMatrix, negative: Flags, families: Sequence[str], folds: int = 3) -> ProbeScore | None:
    """The better of two models on `view`, or None if no fold has both labels.

    Families never lie in two folds. The AUC is the mean over folds, so that folds with other shares of the labels do
    not pull it below one half; the bound is the 5 % quantile over resampled families.
    """
    if view.tied(negative):
        return ProbeScore(0.5, 0.5, 0.5, "tied")
    names, family = np.unique(np.asarray(families), return_inverse=True)
    fold = np.array([int(digest("fold", str(name))[:8], 16) % folds for name in names])[family]
    weights = _resampled(len(names))
    best: ProbeScore | None = None
    for model, predict in (("linear", _linear), ("trees", _trees)):
        aucs, sizes, spreads = [], [], []
        for k in range(folds):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            if len(set(negative[train])) < 2 or len(set(negative[test])) < 2:
                continue
            scores = predict(view.take(train), negative[train], view.take(test))
            by_draw = weighted_auc(scores, negative[test], weights[:, family[test]])
            aucs.append(by_draw[0])
            spreads.append(by_draw[1:])
            sizes.append(len(test))
        if not aucs:
            return None
        score = _score(float(np.average(aucs, weights=sizes)), np.average(spreads, axis=0, weights=sizes), model)
        if best is None or score.distance > best.distance:
            best = score
    return best


def weighted_auc(scores: Numbers, negative: Flags, weights: Numbers) -> Numbers:
    """The AUC of `scores` (ties count half) under each row of `weights`; 0.5 where a label has no weight."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    sorted_weights = weights[:, order]
    high = np.add.reduceat(sorted_weights * negative[order], starts, axis=1)
    low = np.add.reduceat(sorted_weights * ~negative[order], starts, axis=1)
    below = np.cumsum(low, axis=1) - low / 2
    pairs = high.sum(axis=1) * low.sum(axis=1)
    return np.asarray(np.where(pairs > 0, (high * below).sum(axis=1) / np.maximum(pairs, 1e-300), 0.5))


def _score(auc: float, draws: Numbers, model: str) -> ProbeScore:
    mirrored = draws if auc >= 0.5 else 1 - draws
    lower = float(np.quantile(mirrored, _ONE_SIDED))
    return ProbeScore(round(auc, 4), round(max(auc, 1 - auc), 4), round(lower, 4), model)


def _resampled(families: int) -> Numbers:
    """Weights of the families: all once, then as often as each of the draws with replacement holds them."""
    rng = np.random.default_rng(families)
    drawn = rng.multinomial(families, np.full(families, 1 / families), size=_BOOTSTRAPS)
    return np.vstack([np.ones(families), drawn]).astype(np.float64)


# Models run in one thread: their figures stay the same on every machine, and other work there does not slow them down.


def _linear(train: ViewMatrix, negative: Flags, test: ViewMatrix) -> Numbers:
    scale = StandardScaler().fit(train.numbers) if train.numbers.shape[1] else None

    def matrix(view: ViewMatrix) -> sparse.csr_matrix:
        numbers = scale.transform(view.numbers) if scale else view.numbers
        return sparse.hstack([view.tokens, sparse.csr_matrix(numbers)]).tocsr()

    model = LogisticRegression(C=0.3, class_weight="balanced", max_iter=40, tol=1e-3)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the order of the scores is settled long before
        model.fit(matrix(train), negative)
    # Equal rows must get exactly equal scores.
    return np.asarray(model.decision_function(matrix(test)).round(9))


def _trees(train: ViewMatrix, negative: Flags, test: ViewMatrix) -> Numbers:
    most = min(_TREE_TOKENS, train.tokens.shape[1])
    chosen = SelectKBest(chi2, k=most).fit(train.tokens, negative) if most else None

    def matrix(view: ViewMatrix) -> Numbers:
        return np.hstack([chosen.transform(view.tokens).toarray(), view.numbers]) if chosen else view.numbers

    model = HistGradientBoostingClassifier(
        max_iter=30, max_depth=4, learning_rate=0.2, early_stopping=False, class_weight="balanced", random_state=0
    )
    with threadpool_limits(1):
        return np.asarray(model.fit(matrix(train), negative).decision_function(matrix(test)).round(9))


def _classes(bags: Sequence[Bag]) -> npt.NDArray[np.int64]:
    """A number for each bag, the same for equal ones alone. The built-in hash only says where to look."""
    alike: dict[int, list[tuple[Bag, int]]] = {}
    classes = np.empty(len(bags), dtype=np.int64)
    for k, bag in enumerate(bags):
        known = alike.setdefault(hash(frozenset(bag.items())), [])
        classes[k] = next((number for other, number in known if other == bag), k)
        if classes[k] == k:
            known.append((bag, k))
    return classes


def _frequent(numbers: sparse.csc_matrix) -> Numbers:
    """The 64 number features that most rows have, dense."""
    most = np.argsort(-np.diff(numbers.indptr), kind="stable")[:_TREE_TOKENS]
    return np.asarray(numbers[:, np.sort(most)].toarray(), dtype=np.float64)
