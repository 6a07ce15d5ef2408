"""From the outputs of classifiers to a label with its confidence: fusion, calibration, thresholds, unfamiliar products.

Import `policy` for the decision on a batch, the others for its parts. It imports `classifier`.
"""
