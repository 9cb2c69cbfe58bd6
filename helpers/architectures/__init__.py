"""The architectures of the course: plain functions, tensor in, tensor out.

`BUILDERS` names every network that `python -m helpers.train` can train. A
builder is called as `builder(input_shape=(32, 32, 3), classes=10)` and returns
an uncompiled `keras.Model` whose last layer gives class probabilities.
"""

from helpers.architectures.base import base
from helpers.architectures.separable import separable
from helpers.architectures.small import small

BUILDERS = {
    "base": base,
    "separable": separable,
    "small": small,
}
