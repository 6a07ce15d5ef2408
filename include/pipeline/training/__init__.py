"""Training by hand and as part of a retraining: the snapshot, its rows, the model, networks, the search.

Import a step from its file. It imports the models, the warehouse and storage; of the pipeline, `promotion` and what is
read of texts.
"""
