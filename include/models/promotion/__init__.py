"""Whether a candidate may become champion: the gate with its clauses, and the judgement that it comes to, as data.

Import `gate` to judge, `judgement` to read what was judged. It imports `behaviour` and `evaluation`.
"""
