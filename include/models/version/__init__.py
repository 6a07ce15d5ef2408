"""A model version: the artefact with everything that labelling needs, its golden input, and the model registry.

Import `registry` to find a version, `artefact` to load or save one, `labelling` to label a few products with it.
It imports `classifier`, `decision`, and the reference profile of `monitoring`.
"""
