"""Training a model version: candidates, cross-validated predictions, what is tuned on them, the final fit, the report.

Import `train` for the whole, `candidates` for what a retraining trains.
It imports `data`, `classifier`, `decision`, `monitoring` and `version`.
"""
