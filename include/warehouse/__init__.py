"""The SQL warehouse: tables, migrations, loading, queries, promotions, reviews.

Import functions from its files; each takes an engine of `open_engine`.
It imports schema, settings, storage and security; no other package.
"""
