"""The architectures of the course: plain functions, tensor in, tensor out.

`BUILDERS` names every network that `python -m helpers.train` can train. A
builder is called as `builder(input_shape=(32, 32, 3), classes=10)` and returns
an uncompiled `keras.Model` whose last layer gives class probabilities.
"""

from helpers.architectures.base import base
from helpers.architectures.efficientnet import efficientnet_b0_cifar
from helpers.architectures.mobilenet import mobilenet_cifar
from helpers.architectures.mobilenet_v2 import mobilenet_v2_cifar
from helpers.architectures.separable import separable
from helpers.architectures.shufflenet import shufflenet_cifar
from helpers.architectures.shufflenet_v2 import shufflenet_v2_cifar
from helpers.architectures.small import small
from helpers.architectures.xception import xception_cifar

BUILDERS = {
    "base": base,
    "separable": separable,
    "small": small,
    "mobilenet": mobilenet_cifar,
    "mobilenet_v2": mobilenet_v2_cifar,
    "xception": xception_cifar,
    "shufflenet": shufflenet_cifar,
    "shufflenet_v2": shufflenet_v2_cifar,
    "efficientnet_b0": efficientnet_b0_cifar,
}
