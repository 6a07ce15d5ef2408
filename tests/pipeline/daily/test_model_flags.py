from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from include.pipeline.daily.model_flags import RULE_DISAGREES, UNFAMILIAR, with_model_flags, without_model_flags

OF_MODELS = (UNFAMILIAR, RULE_DISAGREES)
FLAGS = st.lists(st.sampled_from(["short_code", "no_brand", *OF_MODELS]), max_size=4)
PRODUCTS = st.lists(st.tuples(st.none() | FLAGS, st.booleans(), st.booleans()), max_size=12)


@settings(deadline=None)
@given(PRODUCTS, st.integers(0, 3))
def test_flags_are_added_and_taken_away_as_one_would_for_each_product(
    products: list[tuple[list[str] | None, bool, bool]], cut: int
) -> None:
    told = [flags for flags, _, _ in products]
    kind = pa.list_(pa.string())
    chunked = pa.chunked_array([pa.array(told, kind)[:cut], pa.array(told, kind)[cut:]], kind)

    own = without_model_flags(chunked)
    assert own.to_pylist() == [flags and [flag for flag in flags if flag not in OF_MODELS] for flags in told]

    masks = [np.array([product[place] for product in products], dtype=bool) for place in (1, 2)]
    expected = []
    for flags, is_unfamiliar, is_contradicted in products:
        new = [UNFAMILIAR] * is_unfamiliar + [RULE_DISAGREES] * is_contradicted
        expected.append([*(flags or ()), *new] if new else flags)
    found = with_model_flags(chunked, dict(zip(OF_MODELS, masks, strict=True)))
    assert found.to_pylist() == expected
    assert found.type == kind
