"""The SQL warehouse: tables, migrations, loading, queries, promotions, reviews.

Import functions from its files; each takes an engine of `open_engine`.
It imports schema, storage and security; no other package, and no settings.
"""
