"""What keeps strangers out and secrets in: addresses that may be called, deadlines, bounds, redaction, hostile photos.

Everything that talks to the network, prints what came from it or decodes it stands on this package; it knows nothing of
products.
"""
