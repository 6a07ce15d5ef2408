"""Models: from trusted labels to a version that labels products, and what is known of how good it is.

Import from the packages inside, which stand on one another as the contract in pyproject.toml says.
They import features, storage and the taxonomy; no source, no quality rule, no table.
"""
