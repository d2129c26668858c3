"""Isolation trees as nested tuples, grown breadth first and walked row by row."""

import numpy as np


def average_path_length(n_rows):
    """Liu, Ting and Zhou (2008), equation 1, with the logarithm for the harmonic number."""
    if n_rows < 3:
        return max(float(n_rows) - 1, 0.0)
    return 2 * (np.log(n_rows - 1) + 0.5772156649015329) - 2 * (n_rows - 1) / n_rows


def _varies(values):
    return (
        len({"missing" if np.isnan(value) else value for value in values.tolist()}) > 1 and not np.isnan(values).all()
    )


def _goes_right(values, split):
    kind, point, missing_right = split
    right = {"level": values == point, "missing": np.isnan(values), "number": values > point}[kind]
    return np.where(np.isnan(values), missing_right, right).astype(bool)


def _draw_split(values, is_category, rng):
    present, missing = np.sort(values[~np.isnan(values)]), np.isnan(values).any()
    if is_category:
        levels = [*np.unique(present).tolist(), *([np.nan] if missing else [])]
        level = levels[int(rng.random() * len(levels))]
        return ("missing", np.nan, True) if np.isnan(level) else ("level", level, False)
    if missing and (present[0] == present[-1] or rng.random() < 0.5):
        return ("missing", np.nan, True)
    part = rng.random()
    point = present[0] * (1 - part) + present[-1] * part
    point = point if present[0] <= point < present[-1] else present[0]
    above, below = np.sum(present > point), np.sum(present <= point)
    return ("number", point, bool(above > below if missing else above <= below))


def grow(rows, members, is_category, rng, depth):
    """Return the nodes of a complete tree: a dict from number to (members, column or None, split)."""
    nodes, waiting, columns = {}, {0: np.asarray(members)}, list(range(rows.shape[1]))
    for number in range(2 ** (depth + 1) - 1):
        inside = waiting[number]
        found = None
        if number < 2**depth - 1 and len(inside) > 1:
            for place in range(len(columns)):
                drawn = place + int(rng.random() * (len(columns) - place))
                columns[place], columns[drawn] = columns[drawn], columns[place]
                if _varies(rows[inside, columns[place]]):
                    found = columns[place]
                    break
        split = None
        right = np.zeros(len(inside), dtype=bool)
        if found is not None:
            split = _draw_split(rows[inside, found], is_category[found], rng)
            right = _goes_right(rows[inside, found], split)
        nodes[number] = (inside, found, split)
        waiting[2 * number + 1], waiting[2 * number + 2] = inside[~right], inside[right]
    return nodes


def walk(nodes, row):
    """Return the numbers of the nodes that are split on the way of one row, and of the node where it ends."""
    number, path = 0, []
    while nodes[number][1] is not None:
        path.append(number)
        _, column, split = nodes[number]
        number = 2 * number + 1 + int(_goes_right(row[[column]], split)[0])
    return path, number


def path_length(nodes, row):
    """Return the number of splits on the way plus the expected number of those that were not made."""
    path, end = walk(nodes, row)
    return len(path) + average_path_length(len(nodes[end][0]))


def path_credits(nodes, row):
    """Return what each column's splits change of the expected path length."""
    path, end = walk(nodes, row)
    total = np.zeros(row.size)
    for number, following in zip(path, [*path[1:], end], strict=True):
        gain = average_path_length(len(nodes[following][0])) + 1 - average_path_length(len(nodes[number][0]))
        total[nodes[number][1]] += gain
    return total
