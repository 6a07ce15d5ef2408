"""A model version: the artefact that holds all it needs to label, its golden input, and the registry that it stands in.

Import `registry` to find a version, `artefact` to read or write one, `labelling` to label a few products with it.
It imports `classifier`, `decision`, and the reference profile of `monitoring`.
"""
