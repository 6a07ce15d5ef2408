"""The classifier of one input: features of an embedding, linear heads on them, and the recipe of their training.

Import from it to apply or fit a single classifier. It imports no other package of models.
"""
