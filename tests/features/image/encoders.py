"""Photo encoders for tests."""

from __future__ import annotations

from pathlib import Path

from include.features.image import ImageEncoder, load_image_encoder


def load_encoder(spec: str, folder: Path = Path("unused"), *, threads: int = 2) -> ImageEncoder:
    """The encoder that `spec` names; Keras models are exported to the folder."""
    return load_image_encoder(spec, threads=threads, max_pixels=50_000_000, exports=folder)
