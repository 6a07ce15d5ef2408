"""The demo catalogue: drawn products with texts and photos, the same every time.

Import `demo_catalogue` and `training_catalogue`. It imports nothing of the platform but errors and plain words.
"""
