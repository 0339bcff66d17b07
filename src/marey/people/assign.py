"""Who is matched with whom: the assignment of largest total gain.

Shortest augmenting paths with dual prices (Jonker & Volgenant 1987, in the form of Crouse 2016), written here
because scipy would be much to install for thirty lines.
"""

import numpy as np
from jaxtyping import Float, Int64


def assign(gain: Float[np.ndarray, "N M"]) -> tuple[Int64[np.ndarray, " K"], Int64[np.ndarray, " K"]]:
    """Pairs (rows, columns) whose gains add up to the most; pairs without gain (≤ 0) are left out.

    To leave a pair out is allowed and costs nothing, so a forbidden pair is one with gain 0. Rows come back
    in rising order.
    """
    if gain.shape[0] > gain.shape[1]:
        columns, rows = assign(gain.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    cost = -np.maximum(gain, 0).astype(np.float64)
    row_price, column_price = np.zeros(len(cost)), np.zeros(cost.shape[1])
    column_of, row_of = np.full(len(cost), -1), np.full(cost.shape[1], -1)
    for start in range(len(cost)):
        _augment(cost, start, (row_price, column_price), (column_of, row_of))
    rows = np.flatnonzero(gain[np.arange(len(cost)), column_of] > 0) if len(cost) else np.zeros(0, np.int64)
    return rows, column_of[rows]


def _augment(
    cost: Float[np.ndarray, "N M"],
    start: int,
    prices: tuple[Float[np.ndarray, " N"], Float[np.ndarray, " M"]],
    matches: tuple[Int64[np.ndarray, " N"], Int64[np.ndarray, " M"]],
) -> None:
    """Match row `start` too: a Dijkstra search over reduced costs to the nearest free column."""
    (row_price, column_price), (column_of, row_of) = prices, matches
    distance, came_from = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], -1)
    rows, done = [start], np.zeros(cost.shape[1], bool)
    row, reached = start, 0.0
    while True:
        through = reached + cost[row] - row_price[row] - column_price
        shorter = ~done & (through < distance)
        distance[shorter], came_from[shorter] = through[shorter], row
        column = int(np.argmin(np.where(done, np.inf, distance)))
        reached = distance[column]
        done[column] = True
        if row_of[column] < 0:
            break
        row = int(row_of[column])
        rows.append(row)
    row_price[start] += reached
    for row in rows[1:]:
        row_price[row] += reached - distance[column_of[row]]
    column_price[done] -= reached - distance[done]
    while column >= 0:  # hand every column of the path to the row that leads to it
        row = int(came_from[column])
        row_of[column], column_of[row], column = row, column, int(column_of[row])
        if row == start:
            break
