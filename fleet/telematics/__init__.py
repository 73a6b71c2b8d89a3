"""Telematics: what vehicles report, from the door through the log into the tables."""
