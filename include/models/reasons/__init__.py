"""Why a product has its label: what text and photo said, the rule that applied, and the trusted products it is like.

`references` are the trusted products that a version keeps to compare with, `nearest` finds those that a product is
like, `rows` makes rows of `schema.REASONS` of predictions, `reading` finds those of one product again (`relabelled`:
where those of a relabelling lie), and `sentences` puts them into words. It imports `classifier` and `decision`.
"""
