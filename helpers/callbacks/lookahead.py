"""Pulls a network back to the average of its own past while it trains."""

import keras


class Lookahead(keras.callbacks.Callback):
    """Every few steps, the weights become a moving average of themselves.

    Training runs ahead for `every` steps; then `slow = share * slow + (1 - share) *
    weights`, and training goes on from `slow`. The share grows with the progress of
    the training: early steps are hardly held back, late ones are averaged. Moving
    statistics of batch normalisation are averaged with the weights, so that they
    belong to each other, which `use_ema` of Keras' optimizers leaves out.

    The last step of an epoch is such a step too, which the published program leaves
    out. Between epochs nothing but the weights has to be remembered, so a run that is
    resumed ends with the same bits. The published program ends on
    the average itself; here the newest weights have their share in it.

    Args:
        every: Steps between two averages.
        decay: Share of the average that stays at the end of the training, from 0 to
            below 1.
        power: The share grows with this power of the progress, from 0.

    Raises:
        ValueError: If an argument is out of range, or, when training begins, the
            number of steps is unknown.

    Papers: Lookahead Optimizer, https://arxiv.org/abs/1907.08610; 94% on CIFAR-10 in
    3.29 Seconds on a Single GPU (the growing share), https://arxiv.org/abs/2404.00498
    """

    def __init__(self, every: int = 5, decay: float = 0.95**5, power: float = 3.0):
        super().__init__()
        if every < 1:
            raise ValueError(f"every is {every}: average after 1 step, or after more.")
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay is {decay}: it is a share from 0 to below 1.")
        if power < 0.0:
            raise ValueError(f"power is {power}: choose 0 or more.")
        self.every = every
        self.decay = decay
        self.power = power

    def share(self, progress: float) -> float:
        """The share of the average that stays.

        Args:
            progress: Share of the training's steps that are done, from 0 to 1.
        """
        return self.decay * progress**self.power

    def on_train_begin(self, logs=None):
        if self.params["steps"] is None:
            raise ValueError(
                "Lookahead needs the number of steps: give fit arrays, a PyDataset, or "
                "steps_per_epoch."
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._step = epoch * self.params["steps"]
        self._slow = self.model.get_weights()

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        steps = self.params["steps"]
        if self._step % self.every and batch + 1 < steps:
            return
        share = self.share(self._step / (steps * self.params["epochs"]))
        weights = self.model.get_weights()
        self._slow = [
            share * slow + (1.0 - share) * new
            for slow, new in zip(self._slow, weights, strict=True)
        ]
        self.model.set_weights(self._slow)
