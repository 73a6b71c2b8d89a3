"""Register of the models of this app's features."""
