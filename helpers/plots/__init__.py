"""Every figure of the course that takes more than five lines."""

from helpers.plots.fields import effective_field, receptive_field

__all__ = ["effective_field", "receptive_field"]
