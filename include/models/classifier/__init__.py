"""One input's classifier: features of an embedding, a linear head on them, and the recipe that they are trained by.

Import from it to apply or fit a single classifier. It imports no other package of models.
"""
