"""Standardised errors of a mini-batch, the rows that they keep, and Adam on the kept rows.

Codes, integers because kernels take no functions: ``side`` is 1 (large values are masked), -1 (small ones) or 0 (both);
``loss`` is 0 (half the squared error) or 1 (logistic, targets -1 and +1); ``statistic`` is 0 (the error, target minus
prediction), 1 (the loss) or 2 (the margin, target times output).
"""

import numpy as np

from skanomaly._kernels._adam import adam_step
from skanomaly._kernels._center_scale import count_select, group_center_scale, sort_order, weighted_center_scale
from skanomaly._kernels._jit import allocating_kernel, inner_kernel

__all__ = ["kept_rows", "masked_adam_epoch"]


@inner_kernel
def _relax(errors, weights, keep, min_keep, order, candidates):
    """Keep the smallest errors until a fraction `min_keep` of the weight is kept; ties at the limit all stay."""
    limit = -np.inf
    if weights is None:
        rank = int(np.ceil(min_keep * errors.size)) - 1  # a fraction of 0 is never too little
        limit = count_select(errors, errors.size, rank, rank, 0.0, 0.2, candidates)
    else:
        sort_order(errors, order)
        total = 0.0
        for index in range(errors.size):
            total += weights[index]
        kept = 0.0
        for place in range(errors.size):
            if kept >= min_keep * total:
                break
            kept += weights[order[place]]
            limit = errors[order[place]]
    for index in range(errors.size):
        if errors[index] <= limit:
            keep[index] = True


@allocating_kernel
def kept_rows(values, groups, weights, threshold, side, robust, min_keep, min_group, decay, pooled, scratch, keep):
    """Mark the rows whose standardised value lies within `threshold` of its group's centre.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    groups : ndarray of shape (n_rows,), intp
        Group of each row, or empty: one group.
    weights : ndarray of shape (n_rows,) or None
        None: every row counts once, and nothing that weights need is compiled.
    threshold : float
    side : int
        1 masks large values, -1 small ones, 0 both.
    robust : bool
        Median and MAD in place of mean and standard deviation.
    min_keep : float
        Smallest fraction of the weight that is kept, by raising the threshold for this batch.
    min_group : int
        Groups of fewer rows (of less weight) are kept whole, unless statistics are pooled already.
    decay : float
        0 uses this batch's statistics alone; else the exponential average over batches, new = decay * old + (1 -
        decay) * this.
    pooled : ndarray of shape (n_groups, 3)
        Centre, scale and number of batches behind them; updated.
    scratch : ndarray of shape (4, at least n_rows)
    keep : ndarray of shape (n_rows,), bool
        The result.

    Returns
    -------
    int
        Number of masked rows.

    Notes
    -----
    O(n_rows) without weights, O(n_rows log n_rows) with them. A group without spread is kept whole.
    """
    n_rows = values.size
    grouped = groups.size > 0
    members = scratch[2]
    errors = scratch[3]
    for group in range(pooled.shape[0]):
        n_members = 0
        if grouped:
            for row in range(n_rows):
                if groups[row] == group:
                    members[n_members] = values[row]
                    n_members += 1
        else:
            n_members = n_rows
        enough = n_members >= min_group
        if weights is not None:
            member_weight = 0.0
            for row in range(n_rows):
                if not grouped or groups[row] == group:
                    member_weight += weights[row]
            enough = member_weight >= min_group
        if enough:
            if weights is not None:
                member_weights = np.empty(n_members)
                place = 0
                for row in range(n_rows):
                    if not grouped or groups[row] == group:
                        members[place] = values[row]
                        member_weights[place] = weights[row]
                        place += 1
                center, scale = weighted_center_scale(members[:n_members], member_weights, robust)
            else:
                source = members if grouped else values
                center, scale = group_center_scale(
                    source, n_members, robust, pooled[group, 0], pooled[group, 1] + 1e-300, scratch
                )
            if decay > 0 and pooled[group, 2] > 0:
                center = decay * pooled[group, 0] + (1.0 - decay) * center
                scale = decay * pooled[group, 1] + (1.0 - decay) * scale
            pooled[group, 0] = center
            pooled[group, 1] = scale
            pooled[group, 2] += 1.0
        else:
            center = pooled[group, 0]
            scale = pooled[group, 1]
            enough = decay > 0 and pooled[group, 2] > 0
        usable = enough and scale > 0 and scale < np.inf
        inverse = 1.0 / scale if usable else 0.0
        if not usable:
            center = 0.0
        if grouped:
            for row in range(n_rows):
                if groups[row] == group:
                    errors[row] = (values[row] - center) * inverse
        else:
            for row in range(n_rows):
                errors[row] = (values[row] - center) * inverse
    if side == 0:
        for row in range(n_rows):
            errors[row] = abs(errors[row])
    elif side < 0:
        for row in range(n_rows):
            errors[row] = -errors[row]
    n_masked = 0
    masked_weight = 0.0
    total = 0.0
    for row in range(n_rows):
        masked = errors[row] > threshold
        keep[row] = not masked
        n_masked += masked
        if weights is not None:
            total += weights[row]
            masked_weight += weights[row] * masked
    if weights is None:
        total = float(n_rows)
        masked_weight = float(n_masked)
    if total - masked_weight < min_keep * total:
        order = np.empty(0 if weights is None else n_rows, dtype=np.intp)
        _relax(errors[:n_rows], weights, keep, min_keep, order, scratch[0])
        n_masked = 0
        for row in range(n_rows):
            n_masked += not keep[row]
    return n_masked


@allocating_kernel
def masked_adam_epoch(
    X,
    y,
    weights,
    order,
    bounds,
    parameters,
    first,
    second,
    step,
    rate,
    penalty,
    loss,
    masking,
    statistic,
    threshold,
    side,
    robust,
    min_keep,
    min_group,
    decay,
    per_class,
    pooled,
    masked,
):
    """One epoch of Adam over a linear model whose batches drop the rows with large standardised errors.

    Per batch: output = X w + b; the statistic of each row; its z-score within the batch (and class); the mean loss over
    the kept rows plus ``penalty / 2 * |w|^2``; one step of ``_adam.adam_step``. The mask carries no gradient.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), float64
        Targets; -1 and +1 where `loss` is 1.
    weights : ndarray of shape (n_samples,), float64, or None
        None: every row weighs 1.
    order : ndarray of shape (n_samples,), intp
        Rows in the order of this epoch.
    bounds : ndarray of shape (n_batches + 1,), intp
        Batch `k` holds ``order[bounds[k]:bounds[k + 1]]``.
    parameters, first, second : ndarray of shape (n_features + 1,)
        Coefficients, then intercept, and their moments; updated.
    step : int
        Steps done before.
    rate, penalty : float
    loss : int
    masking : bool
        False: no statistic is computed and every row is kept.
    statistic : int
    threshold, side, robust, min_keep, min_group, decay, pooled
        See :func:`kept_rows`.
    per_class : bool
        Statistics per class of `y` (below 0: group 0).
    masked : ndarray of shape (n_samples,), int64
        How often each row was dropped; updated where `masking`.

    Returns
    -------
    loss_sum, weight_sum : float
        Loss and weight of the kept rows, summed over the epoch; their ratio is the epoch's mean loss.
    n_masked : int

    Notes
    -----
    O(n_samples * n_features). Z-Error Loss (Godin 2025), sections on regression and classification; we add the median
    and MAD, one-sided masks, the floor `min_keep` and pooling.
    """
    n_features = X.shape[1]
    n_batches = bounds.size - 1
    longest = 1
    for batch in range(n_batches):
        longest = max(longest, bounds[batch + 1] - bounds[batch])
    outputs = np.empty(longest)
    slopes = np.empty(longest)
    values = np.empty(longest)
    keep = np.ones(longest, dtype=np.bool_)
    scratch = np.empty((4, longest))
    groups = np.empty(longest if per_class and masking else 0, dtype=np.intp)
    batch_weights = None if weights is None else np.empty(longest)
    gradient = np.empty(n_features + 1)
    loss_sum = 0.0
    weight_sum = 0.0
    n_masked = 0
    for batch in range(n_batches):
        start = bounds[batch]
        n_rows = bounds[batch + 1] - start
        for place in range(n_rows):
            row = order[start + place]
            output = parameters[n_features]
            for column in range(n_features):
                output += X[row, column] * parameters[column]
            outputs[place] = output
        for place in range(n_rows):
            target = y[order[start + place]]
            if loss == 0:
                error = target - outputs[place]
                slopes[place] = -error
                values[place] = error
            else:
                margin = target * outputs[place]
                slopes[place] = -target / (1.0 + np.exp(margin))
                values[place] = margin
        if masking:
            if statistic == 1:
                for place in range(n_rows):
                    if loss == 0:
                        values[place] = 0.5 * values[place] * values[place]
                    else:
                        values[place] = np.log1p(np.exp(-abs(values[place]))) + max(-values[place], 0.0)
            if per_class:
                for place in range(n_rows):
                    groups[place] = 1 if y[order[start + place]] > 0 else 0
            if weights is not None:
                for place in range(n_rows):
                    batch_weights[place] = weights[order[start + place]]
            n_dropped = kept_rows(
                values[:n_rows],
                groups[:n_rows] if groups.size > 0 else groups,
                None if weights is None else batch_weights[:n_rows],
                threshold,
                side,
                robust,
                min_keep,
                min_group,
                decay,
                pooled,
                scratch,
                keep[:n_rows],
            )
            n_masked += n_dropped
            if n_dropped > 0:
                for place in range(n_rows):
                    if not keep[place]:
                        masked[order[start + place]] += 1
        for column in range(n_features + 1):
            gradient[column] = 0.0
        total = 0.0
        for place in range(n_rows):
            if keep[place]:
                row = order[start + place]
                weight = 1.0 if weights is None else weights[row]
                slope = weight * slopes[place]
                for column in range(n_features):
                    gradient[column] += slope * X[row, column]
                gradient[n_features] += slope
                total += weight
                if loss == 0:
                    loss_sum += weight * 0.5 * slopes[place] * slopes[place]
                else:
                    margin = y[row] * outputs[place]
                    loss_sum += weight * (np.log1p(np.exp(-abs(margin))) + max(-margin, 0.0))
        weight_sum += total
        if total > 0:
            for column in range(n_features + 1):
                gradient[column] /= total
            for column in range(n_features):
                gradient[column] += penalty * parameters[column]
            step += 1
            adam_step(parameters, gradient, first, second, rate, step)
    return loss_sum, weight_sum, n_masked
