"""Counts of events after contexts, one event at a time, in dictionaries."""

from collections import Counter, defaultdict

START, END, UNSEEN = object(), object(), object()


def context_counts(traces, order):
    """Count what follows each context of 0 to `order` events; the end of a trace is an event."""
    followers = defaultdict(Counter)
    for trace in traces:
        events = [START] * order + list(trace) + [END]
        for place in range(order, len(events)):
            for length in range(order + 1):
                followers[tuple(events[place - length : place])][events[place]] += 1
    return followers


def blended_probabilities(trace, traces, order, vocabulary, *, forget=False):
    """Blend contexts from the shortest to the longest, for each event of a trace and its end.

    With `forget` one occurrence of the event that is predicted is taken out of the counts.
    """
    followers = context_counts(traces, order)
    events = [START] * order + [token if token in vocabulary else UNSEEN for token in trace] + [END]
    probabilities = []
    for place in range(order, len(events)):
        probability = 1 / (len(vocabulary) + 2)
        for length in range(order + 1):
            after = Counter(followers.get(tuple(events[place - length : place]), Counter()))
            if forget:
                after[events[place]] -= 1
            total, kinds = sum(after.values()), sum(count > 0 for count in after.values())
            if total > 0:
                probability = (after[events[place]] + kinds * probability) / (total + kinds)
        probabilities.append(probability)
    return probabilities


def leave_one_out(trace, traces):
    """Return the training traces without one copy of `trace`, where it is among them."""
    others = list(traces)
    if trace in others:
        others.remove(trace)
    return others


def unseen_run_fraction(trace, traces, window_size):
    """Fraction of runs of `window_size` events, marks included, that do not occur in the training traces."""

    def runs(events):
        padded = [START] * (window_size - 1) + list(events) + [END]
        return [tuple(padded[place : place + window_size]) for place in range(len(padded) - window_size + 1)]

    known = {run for other in traces for run in runs(other)}
    own = runs(trace)
    return sum(run not in known for run in own) / len(own)
