"""The fleet: vehicles, the zones they may use, what they report, and their care.

Knows nothing of riders: it gets holds and trip marks from above.
"""
