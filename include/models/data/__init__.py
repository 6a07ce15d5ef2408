"""What a model learns from and is judged by: trusted labels, snapshots, the gold set, label lists, training examples.

Import the dataset and snapshots for training, the gold set for judging.
It imports `decision`, for the label that a written rule gives, and `classifier`, for what a recipe asks for.
"""
