"""Measuring the classifiers on products that they have not seen: data, plan, predictions, scores.

Import `evaluate`. It imports the models; of the pipeline, `training` and the steps of `daily`.
"""
