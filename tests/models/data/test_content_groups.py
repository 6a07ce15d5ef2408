from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from include.models.data.content_groups import connected_components, content_groups, groups_per_label

keys = st.lists(st.tuples(st.none() | st.integers(0, 6), st.none() | st.integers(0, 6)), min_size=1, max_size=30)


@settings(deadline=None)  # the first call imports scipy
@given(keys)
def test_groups_are_the_connected_components_of_shared_content(pairs):
    columns = [
        [None if key is None else f"{kind}{key}" for key in column]
        for kind, column in zip("tp", zip(*pairs, strict=True), strict=True)
    ]
    groups = content_groups(*columns)
    assert len(groups) == len(pairs)
    for column in columns:
        for key in set(column) - {None}:
            assert len({group for group, found in zip(groups, column, strict=True) if found == key}) == 1
    # No group is larger than sharing makes it: walk from its first row over shared keys.
    for group in set(groups.tolist()):
        members = {row for row, found in enumerate(groups) if found == group}
        reached, frontier = set(), {min(members)}
        while frontier:
            row = frontier.pop()
            reached.add(row)
            for column in columns:
                if column[row] is not None:
                    frontier |= {other for other, key in enumerate(column) if key == column[row]} - reached
        assert reached == members


def test_nodes_without_an_edge_are_components_by_themselves():
    assert connected_components(np.empty((2, 0), dtype=np.int64), 3).tolist() == [0, 1, 2]
    assert connected_components(np.array([[0], [2]]), 3).tolist() == [0, 1, 0]
    assert connected_components(np.empty((2, 0), dtype=np.int64), 0).tolist() == []


def test_groups_of_a_label_are_counted_once_each():
    counts = groups_per_label(["b", "a", "b", "b"], np.array([0, 1, 0, 2]))
    assert list(counts.items()) == [("b", 2), ("a", 1)]
    assert groups_per_label([], np.empty(0, dtype=np.int64)) == {}
