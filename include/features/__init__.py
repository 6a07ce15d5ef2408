"""From content to vectors: text and image encoders, and the cache of what they computed."""
