"""Commands of the command line that need more than a few lines; shorter ones are in `include/cli.py`.

`cli` imports a command from its file; all of them print through `output`.
They import the pipeline and pages, and call no step in another order than it does; nothing imports them but `cli`.
"""
