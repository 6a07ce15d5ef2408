"""Flags that a model raises on products, beside the flags that they came with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNFAMILIAR = "unfamiliar"
"""Flag of a product that is for review because the model was trained on nothing like it."""
RULE_DISAGREES = "rule_disagrees"
"""Flag of a product that is for review because a written rule of the taxonomy contradicts the classifiers."""


def without_model_flags(flags: pa.ChunkedArray) -> pa.ListArray:
    """The products' own flags, lists of text as given: without those that an earlier prediction raised."""
    lists = _one_array(flags)
    names, owners = pc.list_flatten(lists), pc.list_parent_indices(lists)
    is_own = pc.invert(pc.is_in(names, value_set=pa.array([UNFAMILIAR, RULE_DISAGREES])))
    return _lists(names.filter(is_own), owners.filter(is_own).to_numpy(), _is_absent(lists))


def with_model_flags(flags: pa.ChunkedArray | pa.ListArray, raised: Mapping[str, np.ndarray]) -> pa.ListArray:
    """The products' flags, lists of text, with each name in `raised` added where its mask, bool (n,), is true."""
    lists = _one_array(flags)
    names, owners = [pc.list_flatten(lists)], [pc.list_parent_indices(lists).to_numpy()]
    absent = _is_absent(lists)
    for name, mask in raised.items():
        owners.append(np.flatnonzero(mask))
        names.append(pa.repeat(pa.scalar(name, names[0].type), len(owners[-1])))
        absent = absent & ~mask
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return _lists(pa.concat_arrays(names).take(pa.array(order)), owner[order], absent)


def _one_array(flags: pa.ChunkedArray | pa.ListArray) -> pa.ListArray:
    return flags.combine_chunks() if isinstance(flags, pa.ChunkedArray) else flags


def _is_absent(lists: pa.ListArray) -> np.ndarray:
    return np.asarray(lists.is_null().to_numpy(zero_copy_only=False))


def _lists(values: pa.Array, owner: np.ndarray, is_absent: np.ndarray) -> pa.ListArray:
    """Values in lists: `owner`, rising, is the list of each value, and `is_absent` marks the lists that are null."""
    ends = np.cumsum(np.bincount(owner, minlength=len(is_absent)))
    offsets = pa.array(np.append(0, ends), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(is_absent))
