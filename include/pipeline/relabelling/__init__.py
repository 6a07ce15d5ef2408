"""Labelling the whole catalogue again with one model version, in shards, from embeddings that are there already.

Import `relabel`. It imports the models and the warehouse; of the pipeline, steps of `daily` and `training`.
"""
