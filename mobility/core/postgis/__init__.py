"""Django's PostGIS backend, with what this house needs of its connections."""
