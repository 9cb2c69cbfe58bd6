"""Muon for convolutions: kernels step by orthogonal matrices, all else by SGD.

A gradient of a kernel has few strong directions, and a step along it leaves the many
weak ones behind. Muon steps equally far in all of them. `keras.optimizers.Muon` does so
for the kernels of dense layers alone, and moves all else by Adam.

Papers: Muon: An optimizer for hidden layers in neural networks,
https://kellerjordan.github.io/posts/muon/; Keras' own follows Muon is Scalable for LLM
Training, https://arxiv.org/abs/2502.16982
"""

import keras
from keras import ops

from helpers.grouped_sgd import GroupedSGD, require_endings

_NEEDS = {
    "momentum": "a number above 0",
    "kernels": "the ending of a path, or several",
    "factor": "a number above 0",
    "newton_steps": "a number above 0",
}


@keras.saving.register_keras_serializable("course")
class MuonSGD(GroupedSGD):
    """`GroupedSGD` in which the kernels before batch normalisation step by Muon.

    A kernel is a matrix with a column a filter here. Its length makes no difference
    before a normalisation, so each step begins by making it that of an orthogonal
    matrix of this shape: the rate is the length of a step as a share of the kernel's,
    and weight decay of these kernels is without effect. The iteration that makes a
    step orthogonal is `keras.optimizers.Muon`'s, which does not go on to the end: what
    was at least a hundredth of the gradient's length comes out between 0.68 and 1.14,
    and less comes out lower.

    Args:
        learning_rate: The rate, or a schedule of it.
        kernels: Ending of these kernels' paths, such as "conv/kernel", or several.
        factor: Factor of the rate for them.
        newton_steps: Newton-Schulz iterations that make a step orthogonal.
        **kwargs: As for `GroupedSGD`, with a momentum.

    Raises:
        ValueError: If there is no momentum or no ending, the factor or the number of
            iterations is not above zero, or, when training begins, no variable has
            such an ending.
    """

    def __init__(
        self, learning_rate=0.01, kernels=(), factor=1.0, newton_steps=5, **kwargs
    ):
        super().__init__(learning_rate, **kwargs)
        self.kernels = (kernels,) if isinstance(kernels, str) else tuple(kernels)
        self.factor, self.newton_steps = factor, newton_steps
        for name in ("momentum", "kernels", "factor", "newton_steps"):
            value = getattr(self, name)
            if not value or (name != "kernels" and not value > 0):
                raise ValueError(f"{name} is {value!r}: Muon needs {_NEEDS[name]}.")
        self._muon = keras.optimizers.Muon()

    def build(self, variables):
        require_endings(self.kernels, variables)
        super().build(variables)
        self._orthogonal = [
            variable.path.endswith(self.kernels) for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        if not self._orthogonal[index]:
            super().update_step(gradient, variable, learning_rate)
            return
        # Unlike that of SGD, it is a sum of gradients: a rate that falls does not weigh
        # the earlier ones more.
        momentum = self.momentums[index]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(momentum, momentum * self.momentum + gradient)
        if self.nesterov:
            gradient = gradient + self.momentum * momentum
        else:
            gradient = momentum
        shape = tuple(variable.shape)
        matrix = ops.reshape(gradient, (-1, shape[-1]))
        step = self._muon.zeropower_via_newtonschulz5(matrix, self.newton_steps)
        length = min(matrix.shape) ** 0.5
        kernel = ops.convert_to_tensor(variable)
        kernel = kernel * (length / ops.sqrt(ops.sum(ops.square(kernel))))
        rate = ops.cast(learning_rate * self.factor, variable.dtype)
        self.assign(variable, kernel - rate * ops.reshape(step, shape))

    def get_config(self):
        return {
            **super().get_config(),
            "kernels": self.kernels,
            "factor": self.factor,
            "newton_steps": self.newton_steps,
        }
