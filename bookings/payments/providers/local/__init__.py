"""The local provider: a whole payment provider inside our own database, with cards that always
behave the same. It serves demonstrations and tests and moves no real money.
"""
