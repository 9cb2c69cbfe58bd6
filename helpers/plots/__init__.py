"""Every figure of the course that takes more than five lines."""
