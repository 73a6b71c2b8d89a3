"""The process that keeps lines to vehicles open: what its adapters share."""
