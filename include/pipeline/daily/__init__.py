"""The steps of a day, one file each: fetch, validate, plan, embed, classify, publish; drift and the digest.

Import a step from its file; `run_day` runs them in a row. It imports the sources, quality, features, models, warehouse
and pages; of the pipeline, only what is read of texts.
"""
