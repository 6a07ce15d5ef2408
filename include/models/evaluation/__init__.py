"""How good the classifiers are on products that they have not seen, measured so that a reader can rely on it."""
