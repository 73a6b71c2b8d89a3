"""The shapes of trips in the API."""
