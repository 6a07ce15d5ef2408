"""What goes wrong outside: hostile servers, records, texts and photos, and what must come of each.

`make test` injects the faults that are quick; `make faults` injects all of them, each in a process of its own, and
prints what was tried, how long it took and the peak memory.
"""
