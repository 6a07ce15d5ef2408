"""Hyper-parameter search: which recipe judges products best that it has not learnt from."""
