"""Register of the event handlers of this app's features."""
