"""Register of the Celery tasks of this app's features."""
