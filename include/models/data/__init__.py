"""The data of training and evaluation: trusted labels, snapshots, the gold set, label lists, training examples.

Import the dataset and snapshots for training, the gold set and label lists for evaluation.
It imports `decision`, for the labels of written rules, and `classifier`, for the recipe.
"""
