"""Teltonika units on TCP: codec 8 and 8 Extended for points, codec 12 for commands."""
