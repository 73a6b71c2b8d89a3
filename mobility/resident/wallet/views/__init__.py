"""Pages of the wallet, one file for each thing in it."""
