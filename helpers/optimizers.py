"""The optimisers of the recipes: Keras' own, with a schedule and weight decay."""

import keras

from helpers import callbacks
from helpers.grouped_sgd import GroupedSGD
from helpers.muon import MuonSGD


def adam(steps, weight_decay):
    """Adam as Keras sets it: learning rate 0.001 throughout, no weight decay."""
    return keras.optimizers.Adam()


def nesterov_sgd(rate, weight_decay=0.0, momentum=0.9):
    """SGD with Nesterov momentum and weight decay as papers write it.

    Keras multiplies weight decay by the learning rate but not by the
    1 / (1 - momentum) that a decay inside the gradient gains from momentum, so a
    published value is divided by (1 - momentum) here.

    Args:
        rate: The learning rate, or a schedule of it.
        weight_decay: The value as papers give it, added to the gradient.
        momentum: Momentum of SGD.

    Returns:
        A `keras.optimizers.SGD`.

    Paper: Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101
    """
    return keras.optimizers.SGD(
        rate,
        momentum=momentum,
        nesterov=True,
        weight_decay=weight_decay / (1.0 - momentum),
    )


def one_cycle_sgd(steps, weight_decay, peak=0.2):
    """Nesterov momentum under a one-cycle learning rate that ends at zero.

    Args:
        steps: Training steps of the whole run.
        weight_decay: The value as papers give it, added to the gradient.
        peak: Highest learning rate.

    Returns:
        A `keras.optimizers.SGD`.

    Paper: Super-Convergence, https://arxiv.org/abs/1708.07120
    """
    return nesterov_sgd(callbacks.one_cycle(peak, steps), weight_decay)


def one_cycle_muon(steps, weight_decay, peak=0.2, factor=0.1, momentum=0.9):
    """`one_cycle_sgd` in which pointwise kernels step by Muon.

    Args:
        steps: Training steps of the whole run.
        weight_decay: The value as papers give it, added to the gradient.
        peak: Highest learning rate.
        factor: Factor of the rate for pointwise kernels in front of batch
            normalisation, those of layers whose name ends with "conv".
        momentum: Nesterov momentum.

    Returns:
        A `MuonSGD`.

    Papers: Super-Convergence, https://arxiv.org/abs/1708.07120; Muon: An optimizer
    for hidden layers in neural networks, https://kellerjordan.github.io/posts/muon/
    """
    return MuonSGD(
        callbacks.one_cycle(peak, steps),
        kernels="conv/pointwise_kernel",
        factor=factor,
        momentum=momentum,
        nesterov=True,
        weight_decay=weight_decay / (1.0 - momentum),
    )


def speedrun_sgd(
    steps,
    weight_decay,
    peak=1.5,
    rise=0.23,
    end=0.07,
    momentum=0.85,
    bias_factor=64.0,
    whitening=0.3,
):
    """SGD of the speed run: one triangle, and fast biases of batch normalisation.

    Args:
        steps: Training steps of the whole run.
        weight_decay: The value as papers give it, added to the gradient.
        peak: Highest learning rate.
        rise: Share of the steps in which the rate rises.
        end: Last learning rate, as a share of the peak.
        momentum: Nesterov momentum.
        bias_factor: Factor of the rate for the biases of batch normalisation.
        whitening: Share of the steps in which the bias of the whitening learns.

    Returns:
        A `GroupedSGD`.

    Paper: 94% on CIFAR-10 in 3.29 Seconds on a Single GPU,
    https://arxiv.org/abs/2404.00498
    """
    return GroupedSGD(
        callbacks.one_cycle(peak, steps, rise=rise, start=0.2, end=end),
        factors={"beta": bias_factor},
        until={"whitening/bias": round(whitening * steps)},
        momentum=momentum,
        nesterov=True,
        weight_decay=weight_decay / (1.0 - momentum),
    )


def spared_from_decay(model):
    """The weights of a model that weight decay leaves alone.

    Args:
        model: A `keras.Model`.

    Returns:
        A list of variables: biases, normalisations and whatever else is no kernel
        of a dense layer or convolution, and depthwise kernels, which have nine
        weights a channel and none to spare.
    """
    # The kernel of DepthwiseConv2D has the name that every other kernel has.
    depthwise = {
        id(layer.kernel)
        for layer in model._flatten_layers(include_self=False)
        if isinstance(layer, keras.layers.DepthwiseConv2D)
    }
    return [
        variable
        for variable in model.trainable_variables
        if variable.name not in ("kernel", "pointwise_kernel")
        or id(variable) in depthwise
    ]
