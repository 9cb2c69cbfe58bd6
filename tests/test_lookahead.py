"""Lookahead averages what it says, statistics included, and survives a stop."""

import keras
import numpy as np
import pytest
import resume_model

from helpers import augment, callbacks


def numpy(x):
    return keras.ops.convert_to_numpy(x)


class Walk(keras.callbacks.Callback):
    """Sets all weights after each step, before the callbacks behind it see them."""

    def __init__(self, values):
        super().__init__()
        self.values = iter(values)
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(float(numpy(self.model.weights[0]).flat[0]))

    def on_train_batch_end(self, batch, logs=None):
        value = next(self.values)
        self.model.set_weights([np.full(w.shape, value) for w in self.model.weights])


def small_model():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(2, kernel_initializer="zeros")(inputs)
    outputs = keras.layers.BatchNormalization(
        moving_variance_initializer="zeros", gamma_initializer="zeros"
    )(x)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


def test_weights_and_statistics_follow_the_formula():
    model = small_model()
    values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    walk = Walk(values)
    lookahead = callbacks.Lookahead(every=2, decay=0.5, power=1.0)
    x, y = np.zeros((6, 4)), np.zeros((6, 2))
    model.fit(x, y, 2, epochs=2, verbose=0, callbacks=[walk, lookahead])
    # Averages after steps 2 and 4, and at the ends of epochs, after 3 and 6.
    slow, expected = 0.0, [0.0]
    for step, value in enumerate(values, start=1):
        expected.append(value)
        if step in (2, 3, 4, 6):
            share = 0.5 * step / 6
            slow = share * slow + (1 - share) * value
            expected[-1] = slow
    assert walk.seen == pytest.approx(expected[:-1])
    for weights in model.get_weights():
        np.testing.assert_allclose(weights, expected[-1], rtol=1e-6)


def test_share_grows_as_published():
    lookahead = callbacks.Lookahead()
    shares = [lookahead.share(progress) for progress in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.0, 0.95**5 / 8, 0.95**5])


def test_no_decay_changes_nothing():
    plain, held = small_model(), small_model()
    x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    for model, others in ((plain, []), (held, [callbacks.Lookahead(decay=0.0)])):
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(x, x[:, :2], 4, 3, verbose=0, shuffle=False, callbacks=others)
    for one, other in zip(plain.get_weights(), held.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


class Stop(keras.callbacks.Callback):
    """Interrupts a training in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 1):
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


def trained(folder, *others):
    images, labels = resume_model.images()
    model = resume_model.build()
    train = augment.BatchGenerator(images, labels, batch_size=16)
    options = callbacks.resumable(folder, train, [callbacks.Lookahead(2), *others])
    model.fit(train, epochs=4, shuffle=False, verbose=0, callbacks=options)
    return model.get_weights()


def test_an_interrupted_training_ends_with_the_same_bits(tmp_path):
    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "run", Stop())
    resumed = trained(tmp_path / "run")
    for one, other in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"decay": 1.0}, {"power": -1.0}])
def test_arguments_out_of_range_are_named(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name} is {value}: "):
        callbacks.Lookahead(**wrong)


def test_a_training_of_unknown_length_is_refused():
    lookahead = callbacks.Lookahead()
    lookahead.set_params({"epochs": 2, "steps": None})
    with pytest.raises(ValueError, match="number of steps"):
        lookahead.on_train_begin()
