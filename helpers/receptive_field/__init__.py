"""Exact receptive fields of any Keras functional graph.

`receptive_fields(model)` gives, for every layer, which pixels of the image an output
depends on: analytically, from the graph alone.
"""

from . import layer_rules, op_rules  # noqa: F401  (they register the rules)
from .feature_map import FeatureMap, merge
from .fields import Field
from .measure import effective_field, measured_field
from .model import Fields, receptive_fields, trace
from .registry import ReceptiveFieldError, rule

__all__ = [
    "FeatureMap",
    "Field",
    "Fields",
    "ReceptiveFieldError",
    "effective_field",
    "measured_field",
    "merge",
    "receptive_fields",
    "rule",
    "trace",
]
