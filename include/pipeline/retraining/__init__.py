"""A retraining: plan, train, examine, judge, conclude, report.

Import `steps`, which Airflow runs as tasks and `retrain` in a row. It imports the models, the warehouse and pages;
of the pipeline, `training` and `promotion`.
"""
