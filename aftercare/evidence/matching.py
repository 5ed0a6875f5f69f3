"""The best way to pair two lists: an assignment of greatest worth (the Hungarian method, in O(n³))."""

from __future__ import annotations

from collections.abc import Sequence

Worth = Sequence[Sequence[int]]


def matched(worth: Worth) -> list[tuple[int, int]]:
    """Pairs of row and column, as many as the shorter side has, whose worth together is greatest.

    `worth` is rows by columns. Either side may be empty.
    """
    if not worth or not worth[0]:
        return []
    if len(worth) > len(worth[0]):
        return sorted((row, column) for column, row in matched(list(zip(*worth, strict=True))))
    taken_by = _assigned([[-value for value in row] for row in worth])
    return sorted((row - 1, column - 1) for column, row in enumerate(taken_by) if column and row)


def _assigned(cost: Worth) -> list[int]:
    """For each column (from 1) the row (from 1) that it goes to at the least cost together, 0 for none."""
    rows, columns = len(cost), len(cost[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    taken_by = [0] * (columns + 1)
    for row in range(1, rows + 1):
        taken_by[0] = row
        column, came_from = _cheapest_way(cost, taken_by, row_price, column_price)
        while column:
            taken_by[column] = taken_by[came_from[column]]
            column = came_from[column]
    return taken_by


def _cheapest_way(
    cost: Worth, taken_by: list[int], row_price: list[float], column_price: list[float]
) -> tuple[int, list[int]]:
    """The free column that is cheapest to reach, and the way to each column; the prices follow."""
    columns = range(len(cost[0]) + 1)
    least, came_from, seen = [float("inf")] * len(columns), [0] * len(columns), [False] * len(columns)
    column = 0
    while taken_by[column]:
        seen[column] = True
        row = taken_by[column]
        for other in columns:
            reduced = float("inf") if seen[other] else cost[row - 1][other - 1] - row_price[row] - column_price[other]
            if reduced < least[other]:
                least[other], came_from[other] = reduced, column
        following = min((c for c in columns if not seen[c]), key=lambda c: least[c])
        step = least[following]
        for other in columns:
            if seen[other]:
                row_price[taken_by[other]] += step
                column_price[other] -= step
            else:
                least[other] -= step
        column = following
    return column, came_from
