"""Whether products still look like those that a model was trained on: statistics of a batch, the profile, the distance.

Import `drift` to compare, `drift_statistics` to add up a batch. It imports `decision`.
"""
