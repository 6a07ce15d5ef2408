"""Hyper-parameter search: which recipe predicts held-out products best."""
