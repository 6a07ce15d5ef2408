"""Text encoders: from what is written about a product to a vector.

encoder = fit_text_encoder(documents, settings)
vectors = encoder.encode(["Moët & Chandon Brut Impérial"])   # (1, 256) float32
"""

from __future__ import annotations

from include.features.text.cleaning import document
from include.features.text.interface import TextEncoder
from include.features.text.loading import fit_text_encoder, load_text_encoder

__all__ = ["TextEncoder", "document", "fit_text_encoder", "load_text_encoder"]
