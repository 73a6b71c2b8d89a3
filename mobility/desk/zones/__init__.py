"""The zone editor: versions of zones, what a draft would change, and whom it would catch."""
