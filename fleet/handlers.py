"""Register: what the fleet's features do when others report a fact."""
