"""Models of others: in by name table, out as files that others load."""
