"""What keeps strangers out and secrets in: addresses that may be called, deadlines, bounds, redaction.

Everything that talks to the network or prints what came from it stands on this package; it knows nothing of products.
"""
