"""Register of the admin pages of this app's features."""
