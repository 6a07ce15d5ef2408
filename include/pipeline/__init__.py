"""Where the packages meet: each journey is a package, each step a function of its day and inputs.

DAG tasks and commands import steps from `daily`, `training`, `retraining`, `relabelling`, `evaluation`, and what joins
them (importing a catalogue, promotion, checking). It imports every package below it, pages too; never `airflow`.
"""
