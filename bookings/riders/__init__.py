"""Who may ride what: documents, rules that were read, and what stands in somebody's way."""
