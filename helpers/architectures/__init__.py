"""The architectures of the course: plain functions, tensor in, tensor out.

`BUILDERS` names every network that `python -m helpers.train` can train. A
builder is called as `builder(input_shape=(32, 32, 3), classes=10)` and returns
an uncompiled `keras.Model` whose last layer gives class probabilities.
"""

from functools import partial

from helpers.architectures.alexnet import alexnet_cifar
from helpers.architectures.base import base
from helpers.architectures.densenet import densenet_cifar
from helpers.architectures.efficientnet import efficientnet_b0_cifar
from helpers.architectures.inception_v1 import googlenet_cifar
from helpers.architectures.inception_v2 import inception_v2_cifar
from helpers.architectures.inception_v3 import inception_v3_cifar
from helpers.architectures.lenet import lenet5_cifar
from helpers.architectures.lenet_1998 import lenet5_1998_cifar
from helpers.architectures.mobilenet import mobilenet_cifar
from helpers.architectures.mobilenet_v2 import mobilenet_v2_cifar
from helpers.architectures.network_in_network import nin
from helpers.architectures.resnet import resnet_cifar
from helpers.architectures.resnet_v2 import resnet_v2_cifar
from helpers.architectures.resnext import resnext_cifar
from helpers.architectures.senet import se_resnet_cifar
from helpers.architectures.separable import separable
from helpers.architectures.shufflenet import shufflenet_cifar
from helpers.architectures.shufflenet_v2 import shufflenet_v2_cifar
from helpers.architectures.small import small
from helpers.architectures.speedrun import speedrun
from helpers.architectures.vgg import vgg_cifar
from helpers.architectures.wide_resnet import wide_resnet_cifar
from helpers.architectures.xception import xception_cifar

BUILDERS = {
    "base": base,
    "separable": separable,
    "small": small,
    "lenet5": lenet5_cifar,
    "lenet5_1998": lenet5_1998_cifar,
    "alexnet": alexnet_cifar,
    "vgg11": partial(vgg_cifar, 11),
    "vgg13": partial(vgg_cifar, 13),
    "vgg16": partial(vgg_cifar, 16),
    "vgg19": partial(vgg_cifar, 19),
    "nin": nin,
    "googlenet": googlenet_cifar,
    "inception_v2": inception_v2_cifar,
    "inception_v3": inception_v3_cifar,
    "resnet20": partial(resnet_cifar, depth=20),
    "resnet32": partial(resnet_cifar, depth=32),
    "resnet44": partial(resnet_cifar, depth=44),
    "resnet56": partial(resnet_cifar, depth=56),
    "resnet110": partial(resnet_cifar, depth=110),
    "resnet164_v2": partial(resnet_v2_cifar, depth=164),
    "wide_resnet28_10": wide_resnet_cifar,
    "plain20": partial(resnet_cifar, depth=20, shortcut="none"),
    "plain56": partial(resnet_cifar, depth=56, shortcut="none"),
    "resnext29": partial(resnext_cifar, depth=29),
    "se_resnet20": partial(se_resnet_cifar, depth=20),
    "densenet40": partial(densenet_cifar, depth=40),
    "densenet_bc100": partial(
        densenet_cifar, depth=100, bottleneck=True, compression=0.5
    ),
    "mobilenet": mobilenet_cifar,
    "mobilenet_half": partial(mobilenet_cifar, alpha=0.5),
    "mobilenet_v2": mobilenet_v2_cifar,
    "xception": xception_cifar,
    "shufflenet": shufflenet_cifar,
    "shufflenet_v2": shufflenet_v2_cifar,
    "shufflenet_v2_half": partial(shufflenet_v2_cifar, scale=0.5),
    "efficientnet_b0": efficientnet_b0_cifar,
    "speedrun": speedrun,
}
