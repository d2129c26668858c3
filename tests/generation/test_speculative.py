import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2, chisquare

from skanomaly.generation import acceptance_score, modified_rejection, speculative_sample


def _chains(seed, n_tokens=6):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(n_tokens), n_tokens), random.dirichlet(np.ones(n_tokens), n_tokens)


def _model(chain):
    return lambda context: chain[context[-1]]


def _transitions(sequence, chain):
    """Chi-square statistic and degrees of freedom of the transitions of a sequence under a chain."""
    counts = np.zeros_like(chain)
    np.add.at(counts, (sequence[:-1], sequence[1:]), 1)
    expected = counts.sum(axis=1, keepdims=True) * chain
    return np.sum((counts - expected) ** 2 / expected), chain.size - len(chain)


def _walk(chain, length, seed):
    """Return a sequence of a Markov chain."""
    draws = np.random.default_rng(seed).random(length)
    limits = chain.cumsum(axis=1)
    sequence = np.zeros(length, dtype=int)
    for place in range(1, length):
        sequence[place] = min(np.searchsorted(limits[sequence[place - 1]], draws[place]), len(chain) - 1)
    return sequence


@pytest.mark.parametrize("lookahead", [1, 4])
def test_transitions_are_those_of_the_target(lookahead):
    for seed in range(2):
        draft, target = _chains(seed)
        found = speculative_sample(_model(draft), _model(target), [0], 4000, lookahead=lookahead, random_state=seed)
        statistic, degrees = _transitions(found.sequence, target)
        assert statistic < chi2.isf(1e-4, degrees)
        assert _transitions(found.sequence, draft)[0] > chi2.isf(1e-6, degrees)


@pytest.mark.slow
def test_sixty_thousand_tokens_follow_the_formulas():
    draft, target = _chains(1)
    draft = 0.3 * draft + 0.7 * target
    found = speculative_sample(_model(draft), _model(target), [0], 60000, random_state=0)
    statistic, degrees = _transitions(found.sequence, target)
    assert statistic < chi2.isf(1e-3, degrees)
    values, vectors = np.linalg.eig(target.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    accepted = stationary / stationary.sum() @ np.minimum(draft, target).sum(axis=1)
    assert abs(found.acceptance_rate - accepted) < 0.015
    assert abs(found.tokens_per_round / ((1 - accepted**5) / (1 - accepted)) - 1) < 0.03


def test_equal_models_accept_everything(seed):
    chain, _ = _chains(seed)
    found = speculative_sample(_model(chain), _model(chain), [0], 100, lookahead=4, random_state=seed)
    assert found.acceptance_rate == 1
    assert found.tokens_per_round == 5
    assert found.n_rounds == 20
    assert len(found.sequence) == 100


def test_models_see_the_whole_context():
    """Models of order two."""
    seen = []

    def target(context):
        seen.append(len(context))
        return [0.0, 1.0] if context[-1] == context[-2] else [1.0, 0.0]

    found = speculative_sample(lambda _: [0.5, 0.5], target, [0, 0], 8, lookahead=2, random_state=0)
    assert_array_equal(found.sequence, [1, 0, 0, 1, 0, 0, 1, 0])
    assert min(seen) == 2


def test_rejection_gives_the_target_and_keeps_one_minus_the_total_variation(seed):
    random = np.random.default_rng(seed)
    p, q = random.dirichlet(np.ones(5)), random.dirichlet(np.ones(5))
    drafts = random.choice(5, 20000, p=q)
    tokens, accepted = modified_rejection(p, q, drafts, random_state=seed)
    assert chisquare(np.bincount(tokens, minlength=5), 20000 * p).pvalue > 1e-5
    kept = np.minimum(p, q).sum()
    assert abs(accepted.mean() - kept) < 4.5 * np.sqrt(kept * (1 - kept) / 20000)
    assert_array_equal(tokens[accepted], drafts[accepted])


def test_tokens_that_the_target_forbids_are_rejected():
    tokens, accepted = modified_rejection([0.0, 0.5, 0.5], [1.0, 0.0, 0.0], np.zeros(50, dtype=int), random_state=0)
    assert not accepted.any()
    assert set(tokens) == {1, 2}


@pytest.mark.parametrize(
    ("p", "q", "tokens", "match"),
    [
        ([0.5, 0.6], [0.5, 0.5], [0], "sum to 1"),
        ([0.5, 0.5], [1.0, 0.0], [1], "probability 0"),
        ([0.5, 0.5], [0.5, 0.5], [2], "from 0 to 1"),
        ([0.5, 0.5], [0.2, 0.3, 0.5], [0], "2 tokens"),
        ([[0.5, 0.5]] * 3, [0.5, 0.5], [0, 1], "shape"),
    ],
)
def test_rejection_names_what_is_wrong(p, q, tokens, match):
    with pytest.raises(ValueError, match=match):
        modified_rejection(p, q, tokens)


def test_models_with_other_tokens_raise():
    with pytest.raises(ValueError, match="draft returns 2"):
        speculative_sample(lambda _: [0.5, 0.5], lambda _: [0.2, 0.3, 0.5], [0], 3)


def test_score_estimates_one_minus_the_total_variation():
    draft, target = _chains(0)
    covered = []
    for seed in range(40):
        sequence = _walk(draft, 800, seed)
        before, after = sequence[:-1], sequence[1:]
        found = acceptance_score(target[before, after], draft[before, after])
        values, vectors = np.linalg.eig(draft.T)
        stationary = np.real(vectors[:, np.argmax(np.real(values))])
        truth = stationary / stationary.sum() @ np.minimum(draft, target).sum(axis=1)
        covered.append(found.interval[0] <= truth <= found.interval[1])
    assert sum(covered) >= 32  # of 40 intervals of 95 %: 31 or fewer have probability 2e-3


def test_windows_after_a_change_score_lower(seed):
    before, after = _chains(seed)
    old, new = _walk(before, 1000, 2 * seed), _walk(after, 1000, 2 * seed + 1)
    sequence = np.concatenate([old, new])
    past, present = sequence[:-1], sequence[1:]
    # The present is modelled by its own frequencies, the past is known.
    counts = np.full((6, 6), 0.5)
    np.add.at(counts, (new[:-1], new[1:]), 1)
    model = np.where((np.arange(len(past)) < 1000)[:, None, None], before, counts / counts.sum(axis=1, keepdims=True))
    places = np.arange(len(past))
    found = acceptance_score(before[past, present], model[places, past, present], window_size=250)
    assert found.window_scores[:4].min() > found.window_scores[4:].max()
    assert_array_equal(found.window_starts, np.arange(7) * 250)
    assert_allclose(found.window_scores[:4].mean(), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("p", "q", "options", "match"),
    [
        ([0.5], [0.5, 0.5], {}, "one number a position"),
        ([1.5], [0.5], {}, r"\[0, 1\]"),
        ([0.5], [0.0], {}, r"\(0, 1\]"),
        ([0.5], [0.5], {"window_size": 2}, "positions"),
    ],
)
def test_score_names_what_is_wrong(p, q, options, match):
    with pytest.raises(ValueError, match=match):
        acceptance_score(p, q, **options)
