"""From classifier outputs to a label with its confidence: fusion, rule boosts, calibration, thresholds, unfamiliarity.

Import `policy` for the decision on a batch, the others for its parts. It imports `classifier`.
"""
