"""Data quality: which records are set aside and why, and whether a batch as a whole is published.

Import row rules, checkpoints and reports from its files; they return data, which `include.pages` renders.
It imports schema, storage and the top-level modules on records and texts; no other package, and no settings.
"""
