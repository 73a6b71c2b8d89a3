"""Webhooks: what happens in the city, told to the programs of its organisations, signed and repeated."""
