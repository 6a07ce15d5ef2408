"""Every page and figure for people: validation, drift, decisions, relabelling, the model card; each opens offline.

The pipeline and commands import a page's `write_…`; `rendering` has the one template engine, `base.html` the one base.
It imports what it shows: data of quality, models and the warehouse; never the pipeline.
"""
