"""Drift: statistics of a batch, the reference profile of a model's training products, and the distance between them.

Import `drift` to compare, `drift_statistics` to aggregate a batch. It imports `decision`.
"""
