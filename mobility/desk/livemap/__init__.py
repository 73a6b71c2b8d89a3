"""The live map: layers, saved views, and what is done to many vehicles at once."""
