"""Who of one's own organisation changed what, and who looked at whom."""
