"""From content to vectors: text and image encoders, and the cache of their embeddings.

Import encoders from `include.features.text` and `include.features.image`, the cache and the embedding from its files.
It imports schema, storage and security; no other package, and no settings.
"""
