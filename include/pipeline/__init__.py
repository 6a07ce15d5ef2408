"""The steps of a day, one file each: fetch, validate, plan, embed, classify, publish.

Each step is a function of a source, a day and what earlier steps left in the lake. It never asks what
time it is, and running it again leaves the same rows and files. Airflow tasks and the command line call
the same functions. This is the one room where the others meet.
"""
