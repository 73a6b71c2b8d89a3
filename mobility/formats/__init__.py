"""How dates and times are written: briefly, and in English as in Europe."""
