"""Encoders joined by a plus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from tests.features.image.encoders import load_encoder
from tests.features.image.networks import quarters, write_mean_network

PHOTOS = [quarters(), quarters(side=30), b"nothing"]


def test_the_parts_stand_side_by_side_at_the_length_of_their_weights(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "a+b.onnx", ["n", 3, 16, 16])
    joined = load_encoder(f"{path}?preprocessing=raw+classical?weight=0.75", tmp_path)
    network, classical = (
        load_encoder(f"{path}?preprocessing=raw", tmp_path),
        load_encoder("classical", tmp_path),
    )
    assert joined.dimensions == network.dimensions + classical.dimensions
    vectors = joined.encode(PHOTOS)
    assert vectors.shape == (3, joined.dimensions)
    assert vectors.dtype == np.float32
    assert np.isnan(vectors[2]).all()
    first, second = vectors[:2, :3], vectors[:2, 3:]
    np.testing.assert_allclose(first, 0.8 * network.encode(PHOTOS[:2]), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(second, axis=1), 0.6, rtol=1e-5)


def test_the_identity_follows_parts_order_and_weights(tmp_path: Path) -> None:
    path = write_mean_network(tmp_path / "net.onnx", ["n", 3, 16, 16])
    specs = [
        f"classical+{path}",
        f"{path}+classical",
        f"{path}?weight=2+classical",
        f"{path}?preprocessing=raw+classical",
    ]
    identities = [load_encoder(spec, tmp_path).identity for spec in specs]
    assert len(set(identities)) == len(specs)
    assert load_encoder(f"{path}?weight=4+classical?weight=2", tmp_path).identity == identities[2]
    assert all(identity.replace("-", "").replace("_", "").isalnum() for identity in identities)
    assert max(map(len, identities)) < 120


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("classical+classical?weight=0", "weight=0"),
        ("classical+classical?weight=heavy", "weight=heavy"),
        ("classical?weight=2", "no option weight"),
        ("classical+./absent.onnx", "cannot be read"),
        ("classical+nothing", "not understood"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_the_reason(spec: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_encoder(spec, tmp_path)
