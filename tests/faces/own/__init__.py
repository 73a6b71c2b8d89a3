"""The resident's own pages, read and used as a browser does: plain forms, and what they lead to."""
