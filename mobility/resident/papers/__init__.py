"""The documents that a resident shows, and the rules that they confirm."""
