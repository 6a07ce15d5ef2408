"""Which photos are learnt from, and which are held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.models.cnn.labelled_photos import LabelledPhotos, hold_out, label_photos


def test_photos_are_taken_once_and_only_with_one_label() -> None:
    labels = ["watches", "watches", "watches", "beauty", "beauty", "beauty", "beauty", "champagne"]
    hashes = ["w1", "w1", "w2", "b1", "b2", "placeholder", None, "c1"]
    labels, hashes = [*labels, "watches"], [*hashes, "placeholder"]
    photos = label_photos(labels, hashes, [None] * 9, 2)
    assert dict(zip(photos.hashes, (photos.label_names[t] for t in photos.targets), strict=True)) == {
        "w1": "watches", "w2": "watches", "b1": "beauty", "b2": "beauty"
    }  # fmt: skip
    assert photos.target_of["b2"] == photos.label_names.index("beauty")


def test_photos_of_the_same_text_are_in_one_group() -> None:
    photos = label_photos(["watches"] * 3 + ["beauty"] * 2, [*"abcde"], ["t1", "t1", "t2", "t3", "t4"], 2)
    group = dict(zip(photos.hashes, photos.groups.tolist(), strict=True))
    assert group["a"] == group["b"]
    assert len(set(group.values())) == 4


def test_photos_that_nothing_can_be_learnt_from_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown label 'sofas'"):
        label_photos(["sofas", "watches"], ["a", "b"], [None, None], 2)
    with pytest.raises(ConfigurationError, match=r"None of 2 labelled products has a photo.*import"):
        label_photos(["beauty", "watches"], [None, None], ["t", "u"], 2)
    with pytest.raises(ConfigurationError, match=r"at least two labels with 2 different photos.*'watches': 3"):
        label_photos(["watches"] * 3 + ["beauty"], [*"abcd"], [None] * 4, 2)


def test_the_fingerprint_is_of_content_and_not_of_order() -> None:
    labels, hashes = ["watches", "watches", "beauty", "beauty"], [*"abcd"]
    photos = label_photos(labels, hashes, [None] * 4, 2)
    other = label_photos(["watches", "watches", "beauty", "watches", "beauty"], [*"abcde"], [None] * 5, 2)
    assert photos.subset(np.array([0, 1, 2, 3])).fingerprint() == photos.fingerprint()
    assert other.fingerprint() != photos.fingerprint()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=12, max_size=80),
    share=st.sampled_from([0.1, 0.15, 0.25, 0.5]),
    seed=st.integers(0, 3),
)
def test_a_content_group_is_never_on_both_sides(rows: list[tuple[int, int]], share: float, seed: int) -> None:
    targets, groups = np.array(rows).T
    photos = LabelledPhotos(
        tuple(str(n) for n in range(len(rows))), targets, groups, ("watches", "beauty", "champagne")
    )
    try:
        learn, held_out = hold_out(photos, share, seed)
    except ConfigurationError:
        return
    assert not set(learn.groups) & set(held_out.groups)
    assert sorted([*learn.hashes, *held_out.hashes], key=int) == list(photos.hashes)
    assert set(learn.targets) == set(targets)
    assert 0 < len(held_out) < len(photos)


def test_the_held_out_part_is_about_the_share_and_always_the_same() -> None:
    targets, groups = np.arange(400) % 4, np.arange(400)
    photos = LabelledPhotos(tuple(map(str, range(400))), targets, groups, ("watches", "beauty", "champagne", "vinegar"))
    learn, held_out = hold_out(photos, 0.2, seed=1)
    assert np.bincount(held_out.targets).tolist() == [20] * 4
    assert hold_out(photos, 0.2, seed=1)[1].hashes == held_out.hashes
    assert hold_out(photos, 0.2, seed=2)[1].hashes != held_out.hashes
    assert len(learn) == 320
