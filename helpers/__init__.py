"""What the notebooks import: one concern a module, nothing done at import."""
