"""Register: what the features do when a fact is reported."""
