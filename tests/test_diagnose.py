"""The checks of a training: each fault is found by its check, no health is a fault."""

import random
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers
from same_bits import assert_same_bits

from helpers import augment
from helpers.architectures.lenet import lenet5_cifar
from helpers.architectures.resnet import resnet_cifar
from helpers.architectures.separable import separable
from helpers.architectures.small import small
from helpers.callbacks import one_cycle, state
from helpers.diagnose import (
    CHECKS,
    Case,
    bias_variance,
    check_gradients,
    check_initialisation,
    diagnose,
    overfit_one_batch,
)
from helpers.diagnose.association import association
from helpers.diagnose.backward import loss_gradients
from helpers.diagnose.losses import loss_of

SHAPE = (16, 16, 3)


def patterns(count=1024, seed=0):
    """Waves whose direction and width are the class's, uint8 `(count, 16, 16, 3)`."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10)
    y, x = np.mgrid[:16, :16]
    angle = np.pi * (labels % 5)[:, None, None] / 5
    width = np.where(labels < 5, 0.5, 1.1)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    waves = np.sin(width * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    colour = rng.uniform(30, 60, (count, 1, 1, 3))
    noise = rng.normal(0, 12, (count, *SHAPE))
    images = 125 + colour * waves[..., None] + noise
    return np.clip(images, 0, 255).astype("uint8"), labels


IMAGES, LABELS = patterns()
OTHERS, THEIRS = patterns(512, seed=1)
MEAN, STD = IMAGES.mean(axis=(0, 1, 2)), IMAGES.std(axis=(0, 1, 2))
TRAIN = (augment.normalize(IMAGES, MEAN, STD), LABELS)
VALIDATION = (augment.normalize(OTHERS, MEAN, STD), THEIRS)


def compiled(model, optimizer=None, loss="sparse_categorical_crossentropy"):
    model.compile(optimizer or keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    return model


def network(
    widths=(16, 24),
    units=(),
    activation="relu",
    initializer="he_normal",
    head="softmax",
    classes=10,
    **options,
):
    """Convolutions with pooling, dense layers and a head, compiled."""
    keras.utils.set_random_seed(2)
    inputs = x = keras.Input(SHAPE)
    settings = {"activation": activation, "kernel_initializer": initializer}
    for width in widths:
        x = layers.Conv2D(width, 3, padding="same", **settings)(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for width in units:
        x = layers.Dense(width, **settings)(x)
    outputs = layers.Dense(classes, activation=head)(x)
    return compiled(keras.Model(inputs, outputs), **options)


def faults(model, train=TRAIN, validation=VALIDATION, **options):
    """Names of the faults, without the steps of the learning-rate trial."""
    options.setdefault("only", [name for name in CHECKS if name != "learning_rate"])
    return diagnose(model, train, validation, **options).faults


# Healthy models.

HEALTHY = {
    "batch normalisation": partial(small, SHAPE, filters=(16, 24, 32)),
    "He, no normalisation": partial(
        small, SHAPE, filters=(16, 24, 32), normalization=None
    ),
    "LeNet with tanh": lenet5_cifar,
    "ResNet-20": partial(resnet_cifar, SHAPE),
    "the assignment's": partial(separable, SHAPE),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_a_healthy_model_raises_nothing(kind):
    keras.utils.set_random_seed(0)
    train, validation = TRAIN, VALIDATION
    if kind == "LeNet with tanh":  # made for 32x32 pixels
        train, validation = (
            (images.repeat(2, axis=1).repeat(2, axis=2), labels)
            for images, labels in (train, validation)
        )
    report = diagnose(compiled(HEALTHY[kind]()), train, validation)
    assert report.faults == [], report
    assert len(report) == len(CHECKS) == 12
    unchecked = {finding.check for finding in report if finding.verdict != "healthy"}
    assert unchecked == {"results", "regularisation"}  # it is not trained


def test_a_trained_model_on_augmented_batches_is_healthy():
    batches = augment.BatchGenerator(
        IMAGES,
        LABELS,
        (augment.RandomCrop(2), augment.RandomFlip()),
        batch_size=64,
        mean=MEAN,
        std=STD,
        classes=10,
    )
    labels = augment.one_hot(THEIRS, 10)
    model = network(loss=keras.losses.CategoricalCrossentropy())
    model.fit(batches, epochs=3, shuffle=False, verbose=0)
    report = diagnose(model, batches, (VALIDATION[0], labels))
    assert report.faults == [], report
    assert all(finding.verdict == "healthy" for finding in report), report


def test_pixels_are_normalised_where_the_model_rescales_them():
    inputs = keras.Input(SHAPE)
    x = layers.Rescaling(1 / 255)(inputs)
    x = small(SHAPE, filters=(8, 16))(x)
    model = compiled(keras.Model(inputs, x))
    assert faults(model, (IMAGES, LABELS), (OTHERS, THEIRS)) == []


def test_numbers_that_are_no_classes_are_no_fault():
    targets = np.random.default_rng(0).normal(size=len(LABELS))
    model = network(head=None, classes=1, loss="mse")
    report = diagnose(model, (TRAIN[0], targets), VALIDATION)
    assert report.faults == [], report
    assert report["last_activation"].verdict == "not checked"


# The faults.


@pytest.mark.parametrize(
    "scale", [lambda x: x, lambda x: x / 255**2, lambda x: x / 255 + 40]
)
def test_inputs_that_are_not_normalised(scale):
    train = scale(IMAGES.astype("float32")), LABELS
    validation = scale(OTHERS.astype("float32")), THEIRS
    assert faults(network(), train, validation) == ["inputs"]


def test_inputs_that_are_no_numbers():
    images = TRAIN[0].copy()
    images[3, 2, 1, 0] = np.nan
    report = diagnose(network(), (images, LABELS), only=["inputs"], images=len(images))
    assert report.faults == ["inputs"]
    assert "1 values of 786,432" in report["inputs"].evidence


@pytest.mark.parametrize(
    "labels, said",
    [
        (np.full_like(LABELS, 3), "are 3"),
        (LABELS + 1, "from 1 to 10"),
        (np.eye(10)[LABELS], "takes class numbers"),
        (LABELS % 2, "show 2 classes"),
        (np.random.default_rng(5).permutation(LABELS), "a linear classifier has"),
    ],
)
def test_labels_that_nobody_looked_at(labels, said):
    report = diagnose(network(), (TRAIN[0], labels), only=["labels"])
    assert report.faults == ["labels"]
    assert said in report["labels"].evidence


@pytest.mark.parametrize("kind", [str, np.bytes_, object, lambda names: names[:, None]])
def test_labels_that_are_text(kind):
    names = np.array([f"class {label}" for label in LABELS])
    names = names.astype(kind) if isinstance(kind, type) else kind(names)
    report = diagnose(network(), (TRAIN[0], names))
    assert report.faults == ["labels"], report
    assert "labels are text, such as" in report["labels"].evidence
    assert "Number the classes" in report["labels"].advice
    assert report["learning_rate"].verdict == "not checked"


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
def test_class_numbers_under_a_loss_that_takes_rows(loss):
    report = diagnose(network(loss=loss), TRAIN, only=["labels", "gradients"])
    assert report.faults == ["labels"]
    assert "takes 10 values a label" in report["labels"].evidence
    assert report["gradients"].verdict == "not checked"


def test_batches_of_one_class():
    of_class = [np.flatnonzero(LABELS == number)[:64] for number in range(10)]
    sorted_batches = [(TRAIN[0][which], LABELS[which]) for which in of_class]
    report = diagnose(network(), sorted_batches, only=["labels"])
    assert report.faults == ["labels"]
    assert "each of the 10 batches" in report["labels"].evidence
    mixed = [(TRAIN[0][i : i + 64], LABELS[i : i + 64]) for i in range(0, 640, 64)]
    assert diagnose(network(), mixed, only=["labels"]).faults == []


def test_results_of_a_model_that_always_says_the_same():
    model = network()
    head = model.layers[-1]
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(np.arange(10.0))
    report = diagnose(model, TRAIN, trained=True, only=["results"])
    assert report.faults == ["results"]
    assert "commonest prediction 100.0%" in report["results"].evidence


@pytest.mark.parametrize(
    "rare, found, missed, verdict",
    [
        (31, 16, 0, "healthy"),  # 98.5% right, 97.0% by saying the commonest class
        (31, 0, 0, "fault"),  # what always says the commonest class
        (31, 8, 8, "fault"),  # as many lost as won
        (500, 300, 250, "fault"),  # 50 more: 2.1 standard errors
        (500, 300, 150, "healthy"),  # 150 more: 7.6
        (5, 5, 0, "not checked"),  # all right, and too few to tell
        (5, 0, 0, "fault"),
    ],
)
def test_results_are_compared_image_by_image(rare, found, missed, verdict):
    """A model of 1,024 images has `found` rare ones right, `missed` common ones not."""
    labels = (np.arange(1024) < rare).astype(int)
    said = (np.arange(1024) < found).astype(int)
    said[rare : rare + missed] = 1
    images = np.zeros((1024, *SHAPE), "float32")
    images[:, 0, 0, 0] = said
    inputs = keras.Input(SHAPE)
    model = compiled(keras.Model(inputs, Foretold()(inputs)))
    report = diagnose(model, (images, labels), trained=True, only=["results"])
    assert report["results"].verdict == verdict, report


@pytest.mark.parametrize(
    "images",
    [
        OTHERS.astype("float32") / 255,
        VALIDATION[0] * 1.3,
        augment.normalize(OTHERS + np.array([20, 0, 0], "uint8"), MEAN, STD),
    ],
)
def test_images_that_are_not_preprocessed_alike(images):
    assert faults(network(), TRAIN, (images, THEIRS)) == ["alike"]


# Three channels that differ as CIFAR-10's do, after which they are standardised too.
DULL = (0.97, 0.94, 0.87)
COLOURED = (IMAGES * DULL).astype("uint8"), (OTHERS * DULL).astype("uint8")
BY_CHANNEL = COLOURED[0].mean(axis=(0, 1, 2)), COLOURED[0].std(axis=(0, 1, 2))


def generators(validation=COLOURED[1], constants=BY_CHANNEL, transforms=None, **order):
    """Augmented training images, and validation images that are as is said."""
    if transforms is None:
        transforms = augment.RandomCrop(2), augment.RandomFlip()
    mean, std = BY_CHANNEL
    train = augment.BatchGenerator(
        COLOURED[0], LABELS, transforms, 64, mean=mean, std=std
    )
    mean, std = constants
    return train, augment.BatchGenerator(
        validation, THEIRS, (), 64, mean=mean, std=std, shuffle=False
    )


@pytest.mark.parametrize(
    "other, found",
    [
        ({}, []),
        ({"validation": COLOURED[1][..., ::-1]}, ["alike"]),
        ({"constants": (np.multiply(0.9, BY_CHANNEL[0]), BY_CHANNEL[1])}, ["alike"]),
        ({"constants": (BY_CHANNEL[0], np.multiply(0.8, BY_CHANNEL[1]))}, ["alike"]),
    ],
)
def test_augmented_images_are_compared_as_they_were(other, found):
    train, validation = generators(**other)
    report = diagnose(network(), train, validation, only=["labels", "inputs", "alike"])
    assert report.faults == found, report
    assert report["alike"].evidence.startswith("before augmentation, channels' means")


@pytest.mark.parametrize("size", [64, 1024])
def test_images_that_lie_class_by_class_are_alike(size):
    """Neighbours are of one class, here of one brightness; a sample is of all."""
    order = np.argsort(LABELS, kind="stable")
    images = (IMAGES[order] * (0.5 + 0.05 * LABELS[order, None, None, None])).astype(
        "uint8"
    )
    train = augment.BatchGenerator(images, LABELS[order], (augment.RandomFlip(),), size)
    halves = [
        augment.BatchGenerator(images[i::2], LABELS[order][i::2], (), size // 4)
        for i in (0, 1)
    ]
    for validation in halves:
        validation.shuffle = False
        report = diagnose(network(), train, validation, images=256, only=["alike"])
        assert report.faults == [], report


def test_an_augmentation_that_changes_the_scale_is_found():
    class Dividing(augment.Transformation):
        """Divides by 255, which the generator does not expect."""

        def apply(self, images, rng):
            return images.astype("float32") / 255

    train, validation = generators(transforms=(Dividing(),))
    report = diagnose(network(), train, validation, only=["alike"])
    assert report.faults == ["alike"]
    assert report["alike"].evidence.startswith("channels' means")


def test_batches_of_a_kind_of_its_own_keep_the_wide_limits():
    """Whether a data set augments, and what there was before, is not known."""
    darker = VALIDATION[0] - 0.3, THEIRS
    assert faults(network(), Drawing(), darker, only=["alike"]) == []
    darker = VALIDATION[0] - 0.8, THEIRS
    assert faults(network(), Drawing(), darker, only=["alike"]) == ["alike"]


def test_no_regularisation_of_a_model_that_knows_its_images_by_heart():
    few = TRAIN[0][:128], np.random.default_rng(0).integers(0, 10, 128)
    model = network(optimizer=keras.optimizers.Adam(3e-3))
    model.fit(*few, epochs=30, verbose=0)
    assert faults(model, few) == ["regularisation"]
    decayed = network(optimizer=keras.optimizers.AdamW(3e-3, weight_decay=1e-4))
    decayed.set_weights(model.get_weights())
    report = diagnose(decayed, few, VALIDATION, trained=True, only=["regularisation"])
    assert report.faults == ["regularisation"]
    rights = [
        float((decayed.predict(x, verbose=0).argmax(axis=-1) == y).mean())
        for x, y in (few, VALIDATION)
    ]
    points = f"{100 * (rights[0] - rights[1]):.0f} points"
    advice = report["regularisation"].advice
    assert f"needed: weight decay leaves a gap of {points}" in advice
    assert "add augmentation (crops, mirrors), then dropout" in advice


class Foretold(keras.layers.Layer):
    """Names the class that the first pixel's first channel holds."""

    def call(self, x):
        wanted = keras.ops.cast(x[:, 0, 0, 0], "int32")
        return 0.9 * keras.ops.one_hot(wanted, 10) + 0.01


@pytest.mark.parametrize(
    "decay, share, found",
    [(None, 0.12, True), (None, 0.08, False), (5e-4, 0.12, False), (5e-4, 0.18, True)],
)
def test_a_larger_gap_is_allowed_where_something_regularises(decay, share, found):
    """A model that has all training images right, and a share fewer in validation."""
    images = np.random.default_rng(0).normal(size=(1000, *SHAPE)).astype("float32")
    labels = np.arange(1000) % 10
    known = images.copy()
    known[:, 0, 0, 0] = labels
    partly = known.copy()
    wrong = slice(0, round(share * 1000))
    partly[wrong, 0, 0, 0] = (labels[wrong] + 1) % 10
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, Foretold()(inputs))
    compiled(model, keras.optimizers.SGD(0.1, weight_decay=decay))
    report = diagnose(
        model,
        (known, labels),
        (partly, labels),
        trained=True,
        images=1000,
        only=["regularisation"],
    )
    assert "accuracy 100.0% in training" in report["regularisation"].evidence
    assert bool(report.faults) == found, report


class Plain(keras.utils.PyDataset):
    """Batches of arrays, by a data set that does not say what it does."""

    def __init__(self, images, labels, size=50):
        super().__init__()
        self.images, self.labels, self.size = images, labels, size

    def __len__(self):
        return len(self.images) // self.size

    def __getitem__(self, index):
        cut = slice(self.size * index, self.size * (index + 1))
        return self.images[cut], self.labels[cut]


def foretelling(labels, right, decay=None):
    """A model, and images of which it has the first `right` right."""
    images = np.zeros((len(labels), *SHAPE), "float32")
    images[:, 0, 0, 0] = (labels + (np.arange(len(labels)) >= right)) % 10
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, Foretold()(inputs))
    return compiled(model, keras.optimizers.SGD(0.1, weight_decay=decay)), images


@pytest.mark.parametrize("kind", [Plain, "tf.data"])
def test_augmentation_that_is_not_known_is_not_invented(kind):
    labels = np.arange(1000) % 10
    for decay, right, found in (
        (None, 880, True),
        (5e-4, 880, False),
        (5e-4, 800, True),
    ):
        model, partly = foretelling(labels, right, decay)
        _, known = foretelling(labels, len(labels))
        if kind == "tf.data":
            tf = pytest.importorskip("tensorflow")
            train = tf.data.Dataset.from_tensor_slices((known, labels)).batch(50)
        else:
            train = kind(known, labels)
        report = diagnose(
            model, train, (partly, labels), trained=True, only=["regularisation"]
        )
        finding = report["regularisation"]
        assert finding.fault == found, report
        has = "weight decay" if decay else "no dropout or decay"
        assert finding.evidence.endswith(f"; {has}, augmentation not known")
        if found:
            assert "(crops, mirrors) if there is none, then" in finding.advice
            assert ("weight decay leaves a gap" in finding.advice) == (
                decay is not None
            )


def in_order(labels, right, length="known"):
    """A `tf.data.Dataset` by class, a share `right` of each class right."""
    tf = pytest.importorskip("tensorflow")
    labels = np.sort(labels)
    _, images = foretelling(labels, len(labels))
    wrong = np.arange(len(labels)) % 100 >= 100 * right[labels]
    images[wrong, 0, 0, 0] = (labels[wrong] + 1) % 10
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(50)
    if length == "unknown":
        data = data.filter(lambda *_: True)
    return data.repeat() if length == "endless" else data


def test_a_data_set_that_lies_class_by_class_is_read_to_its_end():
    """Image_dataset_from_directory(shuffle=False), the first class the hardest."""
    labels = np.arange(5000) % 10
    model, known = foretelling(labels, len(labels))
    right = np.where(np.arange(10) == 0, 0.2, 1.0)  # 92% of all, a gap of 8 points
    data = in_order(labels, right)
    sample = Case(model, data).train
    assert (sample.total, sample.batch_size) == (5000, 50)
    assert np.unique(sample.classes).tolist() == list(range(10))
    assert 1000 <= len(sample.images) <= 1100 and not sample.beginning
    report = diagnose(
        model, (known, labels), data, trained=True, only=["regularisation"]
    )
    assert report.faults == [], report
    assert in_order(labels, right).cardinality() == 100


@pytest.mark.parametrize("length", ["unknown", "endless"])
def test_the_beginning_of_a_data_set_is_not_judged_as_the_whole(length):
    labels = np.arange(5000) % 10
    model, known = foretelling(labels, len(labels))
    right = np.full(10, 0.5)
    data = in_order(labels, right, length)
    for train, validation, verdict in (
        ((known, labels), data, "not checked"),
        ((known, labels), in_order(labels, right), "fault"),
        (in_order(labels, np.ones(10), length), in_order(labels, right), "fault"),
    ):
        report = diagnose(
            model, train, validation, trained=True, only=["regularisation"]
        )
        finding = report["regularisation"]
        assert finding.verdict == verdict, report
        told = "assert_cardinality" in finding.evidence
        assert told == (verdict == "not checked")
    sample = Case(model, data).train
    assert sample.beginning and sample.total is None and len(sample.images) == 1050


def test_a_data_set_without_batches_is_named():
    tf = pytest.importorskip("tensorflow")
    single = tf.data.Dataset.from_tensor_slices(TRAIN)
    for data, said in (
        (single, r"Images of shape \(16, 16, 3\) and labels of shape \(\)"),
        (single.batch(8).take(0), "no batch"),
        (single.batch(8).map(lambda x, y: (x, (y, y))), "several outputs"),
    ):
        with pytest.raises(ValueError, match=said):
            Case(network(), data)


def test_a_short_data_set_of_unknown_length_is_read_whole():
    labels = np.arange(500) % 10
    model, _ = foretelling(labels, len(labels))
    sample = Case(model, in_order(labels, np.ones(10), "unknown")).train
    assert len(sample.images) == 500 and not sample.beginning


def test_a_batch_that_is_too_large():
    assert faults(network(), batch_size=512) == ["batch_size"]
    assert faults(network(), batch_size=64) == []


@pytest.mark.parametrize(
    "head, loss, classes, said",
    [
        ("softmax", "sparse_logits", 10, "leave out the last activation"),
        ("sigmoid", "sparse_categorical_crossentropy", 10, "do not sum to 1"),
        (None, "sparse_categorical_crossentropy", 10, "set from_logits=True"),
        ("relu", "sparse_categorical_crossentropy", 10, "in place of relu"),
        ("relu", "sparse_logits", 10, "free to be negative"),
        ("softmax", "binary_crossentropy", 1, "over one unit"),
        ("sigmoid", "binary_logits", 1, "leave out the last activation"),
        (None, "binary_crossentropy", 1, "sigmoid as last activation"),
    ],
)
def test_a_last_activation_that_does_not_fit_the_loss(head, loss, classes, said):
    chosen = {
        "sparse_logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "binary_logits": keras.losses.BinaryCrossentropy(from_logits=True),
    }.get(loss, loss)
    model = network(head=head, loss=chosen, classes=classes)
    train = (TRAIN[0], LABELS % 2) if classes == 1 else TRAIN
    report = diagnose(model, train, only=["last_activation"])
    assert report.faults == ["last_activation"]
    assert said in report["last_activation"].advice


def test_a_last_activation_that_fits():
    for head, loss, classes in (
        (None, keras.losses.SparseCategoricalCrossentropy(from_logits=True), 10),
        ("sigmoid", keras.losses.BinaryCrossentropy(), 1),
        (None, keras.losses.BinaryCrossentropy(from_logits=True), 1),
    ):
        model = network(head=head, loss=loss, classes=classes)
        train = (TRAIN[0], LABELS % 2) if classes == 1 else TRAIN
        assert diagnose(model, train, only=["last_activation"]).faults == []


def test_relu_in_front_of_softmax():
    model = network(head="relu")
    model = compiled(keras.Model(model.input, layers.Softmax()(model.output)))
    assert faults(model) == ["last_activation"]


def test_gradients_that_vanish_in_sigmoid_layers():
    model = network(units=8 * (32,), activation="sigmoid", initializer="glorot_uniform")
    assert faults(model) == ["gradients"]


def test_gradients_that_explode():
    class Amplifying(layers.Layer):
        """The identity, whose gradient is a million times too large."""

        def call(self, x):
            return x * 1e6 - keras.ops.stop_gradient(x * (1e6 - 1))

    inputs = keras.Input(SHAPE)
    x = layers.Conv2D(8, 3, activation="relu")(inputs)
    x = layers.GlobalAveragePooling2D()(Amplifying()(x))
    x = layers.Dense(16, activation="relu")(x)
    model = compiled(keras.Model(inputs, layers.Dense(10, activation="softmax")(x)))
    report = diagnose(model, TRAIN, only=["gradients"])
    assert "explode" in report["gradients"].evidence


@pytest.mark.parametrize("unit", [0.01, 1.0, 100.0])
def test_the_unit_of_the_targets_makes_no_gradient_explode(unit):
    targets = unit * np.random.default_rng(0).normal(size=len(LABELS))
    model = network(head=None, classes=1, loss="mse")
    model.layers[-1].bias.assign([10.0 * unit])
    report = diagnose(model, (TRAIN[0], targets), only=["gradients"])
    assert report["gradients"].verdict == "healthy", report


@pytest.mark.parametrize(
    "initializer, said",
    [
        (keras.initializers.Constant(0.02), "equal weights and equal gradients"),
        ("zeros", "equal weights and equal gradients"),
        (keras.initializers.RandomNormal(stddev=1e-3), "standard deviation of what"),
        (keras.initializers.RandomNormal(stddev=1.0), "standard deviation of what"),
    ],
)
def test_wrong_initialisation(initializer, said):
    model = network(units=(32, 32, 32), initializer=initializer)
    if initializer == "zeros":  # the head as well, so that nothing tells units apart
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    report = diagnose(
        model, TRAIN, VALIDATION, only=[c for c in CHECKS if c != "learning_rate"]
    )
    assert report.faults == ["initialisation"], report
    assert said in report["initialisation"].evidence
    assert "waits until initialisation" in report["gradients"].evidence


def test_a_head_that_begins_with_zeros_is_no_fault():
    model = network()
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    assert faults(model) == []


def test_units_that_are_dead():
    model = network(units=(32,))
    bias = np.where(np.arange(32) < 24, -100.0, 100.0)
    model.layers[-2].bias.assign(bias)
    report = diagnose(model, TRAIN, only=["initialisation"])
    assert "75% of the ReLU units of 'dense" in report["initialisation"].evidence


def test_units_that_are_saturated():
    model = network(units=(32, 32), activation="tanh", initializer="glorot_uniform")
    for layer in model.layers[-3:-1]:
        layer.kernel.assign(50.0 * layer.kernel)
    report = diagnose(model, TRAIN, only=["initialisation"])
    assert "at an end of its activation" in report["initialisation"].evidence


@pytest.mark.parametrize("depth, found", [(18, []), (20, ["depth"])])
def test_a_plain_network_that_is_too_deep(depth, found):
    model = network(widths=(8,), units=(depth - 2) * (24,))
    assert diagnose(model, TRAIN, only=["depth"]).faults == found


def test_shortcuts_make_depth_healthy():
    plain = compiled(resnet_cifar(SHAPE, depth=38, shortcut="none"))
    residual = compiled(resnet_cifar(SHAPE, depth=38))
    assert diagnose(plain, TRAIN, only=["depth"]).faults == ["depth"]
    assert diagnose(residual, TRAIN, only=["depth"]).faults == []


def test_hidden_units_too_few_or_too_many():
    assert faults(network(units=(4, 64))) == ["width"]
    assert faults(network(units=(4,))) == ["width"]
    huge = network(widths=(), units=(1536,))
    few = TRAIN[0][:600], LABELS[:600]
    assert faults(huge, few) == ["width"]
    assert faults(huge, TRAIN, images=600) == ["width"]


@pytest.mark.parametrize("units, found", [((), []), ((16,), []), ((9,), ["width"])])
def test_many_classes_need_no_more_units_than_ten(units, found):
    """ResNet-20 has 64 units in front of 100 classes."""
    body = resnet_cifar(SHAPE, depth=20, classes=100)
    x = body.layers[-2].output
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    outputs = layers.Dense(100, activation="softmax")(x)
    model = compiled(keras.Model(body.input, outputs))
    labels = np.arange(len(LABELS)) % 100
    # Weights are compared with images elsewhere.
    report = diagnose(model, (TRAIN[0], labels), only=["width"])
    assert report.faults == found, report
    if found:
        assert report["width"].advice == "Give it more units: 20 at least."


@pytest.mark.parametrize(
    "rate, said", [(30.0, "too high"), (1e-8, "too low"), (1e-3, None)]
)
def test_a_learning_rate(rate, said):
    model = network(widths=(8,), optimizer=keras.optimizers.Adam(rate))
    finding = diagnose(model, TRAIN, batch_size=64, only=["learning_rate"])[
        "learning_rate"
    ]
    assert finding.fault == (said is not None)
    assert said is None or said in finding.evidence


# What surrounds the checks.


class Drawing(keras.utils.PyDataset):
    """Batches that draw from a generator of their own and from the global one."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(4)
        self.read = 0

    def __len__(self):
        return 16

    def __getitem__(self, index):
        self.read += 1
        noise = self.rng.normal(0, 0.01, (64, *SHAPE)) + 0 * np.random.rand()
        random.random()
        cut = slice(64 * index, 64 * index + 64)
        return (TRAIN[0][cut] + noise).astype("float32"), LABELS[cut]


@pytest.mark.parametrize("scheduled", [False, True])
def test_model_data_and_random_numbers_stay_as_they_were(scheduled):
    keras.utils.set_random_seed(3)
    rate = one_cycle(0.1, 60) if scheduled else 1e-8
    model = compiled(
        small(SHAPE, filters=(8, 16), dropout=0.3),
        keras.optimizers.SGD(rate, momentum=0.9),
    )
    batches = Drawing()
    model.fit(batches, epochs=1, verbose=0)
    before = state.capture(model)
    counted = model.get_metrics_result()
    globally = np.random.get_state()[1].tolist(), random.getstate()
    drawn, read = batches.rng.bit_generator.state, batches.read
    report = diagnose(model, batches, VALIDATION, trained=False)
    assert ("finder" in str(report)) == (not scheduled)
    overfit_one_batch(model, (TRAIN[0][:8], LABELS[:8]), steps=2)
    assert assert_same_bits(before, state.capture(model)) > 10
    assert model.get_metrics_result() == counted
    assert (np.random.get_state()[1].tolist(), random.getstate()) == globally
    assert (batches.rng.bit_generator.state, batches.read) == (drawn, read)
    assert not any("call" in vars(layer) for layer in model.layers)


@pytest.mark.parametrize("seed", [None, 3])
def test_generators_of_older_keras_are_read(seed):
    """They are iterators as well as data sets, and draw global random numbers."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    flow = ImageDataGenerator(horizontal_flip=True).flow(
        *TRAIN, batch_size=64, seed=seed
    )
    model = network()
    globally = np.random.get_state()[1].tolist()
    sample = Case(model, flow).train
    assert (sample.total, sample.batch_size, len(sample.images)) == (1024, 64, 1024)
    assert sorted(sample.labels) == sorted(LABELS)
    assert flow.total_batches_seen == 0 and flow.index_array is None
    assert np.random.get_state()[1].tolist() == globally


def test_the_report_reads_in_a_terminal_and_in_a_notebook():
    report = diagnose(network(), (IMAGES, LABELS), only=["inputs", "initialisation"])
    assert report.faults == ["inputs"]
    assert (
        report.summary
        == f"{report.model}: faults found: inputs by 2 checks; 1 not checked"
    )
    assert "-> Standardise the images" in str(report)
    assert "| inputs | **fault** |" in report._repr_markdown_()
    assert [finding.check for finding in report] == ["inputs", "initialisation"]
    with pytest.raises(KeyError, match="no check 'x'; it has inputs"):
        report["x"]


def test_gradients_are_those_of_the_softmax():
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(inputs))
    compiled(model)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 5)).astype("float32"), np.arange(7) % 3
    loss, (kernel, bias) = loss_gradients(model, x, y)
    scores = x @ model.layers[1].kernel.numpy()
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    error = (shares - np.eye(3)[y]) / 7
    assert loss == pytest.approx(-np.log(shares[np.arange(7), y]).mean(), rel=1e-5)
    np.testing.assert_allclose(kernel, x.T @ error, atol=1e-6)
    np.testing.assert_allclose(bias, error.sum(axis=0), atol=1e-6)


def test_a_check_alone():
    case = Case(network(), TRAIN)
    assert check_initialisation(case).verdict == "healthy"
    assert check_gradients(case).verdict == "healthy"
    assert len(case.kernels) == 3


def test_the_association_of_labels_is_that_of_chance_for_any_order():
    real = association(TRAIN[0], LABELS)
    assert real.seen and not real.by_chance and real.recall > 0.3
    rng = np.random.default_rng(1)
    shuffled = [association(TRAIN[0], rng.permutation(LABELS)) for _ in range(3)]
    assert all(link.by_chance for link in shuffled)
    assert association(TRAIN[0][:100], LABELS[:100]) is None


def two_clouds(count, rare, distance, seed):
    """Noise of two classes whose brightness differs a little, `(count, 8, 8, 3)`.

    Args:
        count: Images.
        rare: Share of class 1.
        distance: Of the classes' mean brightness, in its standard deviations.
        seed: Of the noise.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation((np.arange(count) < rare * count).astype(int))
    brightness = rng.normal(size=count) + distance * labels
    images = rng.normal(size=(count, 8, 8, 3)) + brightness[:, None, None, None]
    return images.astype("float32"), labels


@pytest.mark.parametrize(
    "count, rare", [(1024, 0.1), (1024, 0.05), (500, 0.5), (1024, 0.5)]
)
def test_hard_and_imbalanced_labels_are_not_called_shuffled(count, rare):
    """The best classifier is right for Phi(distance / 2) = 60% of either class."""
    for seed in range(10):
        link = association(*two_clouds(count, rare, 0.5, seed))
        assert not link.by_chance, link
        assert link.chance == 0.5 and link.recall < 0.75


def test_the_error_of_the_recall_is_that_of_labels_in_any_order():
    images, labels = two_clouds(600, 0.1, 0.0, 0)
    rng = np.random.default_rng(0)
    links = [association(images, rng.permutation(labels)) for _ in range(100)]
    recalls = np.array([link.recall for link in links])
    errors = np.array([link.error for link in links])
    assert np.mean(recalls) == pytest.approx(0.5, abs=0.02)
    assert np.std(recalls) == pytest.approx(errors.mean(), rel=0.25)
    assert errors.mean() == pytest.approx(0.5 * np.sqrt(0.25 / 60 + 0.25 / 540), 0.02)


def test_many_images_tell_shuffled_labels_of_two_classes():
    images, labels = two_clouds(4000, 0.5, 0.5, 0)
    assert association(images, labels).seen
    shuffled = np.random.default_rng(0).permutation(labels)
    assert association(images, shuffled).by_chance


def test_no_check_waits_for_labels_that_are_only_likely_wrong():
    shuffled = TRAIN[0], np.random.default_rng(5).permutation(LABELS)
    report = diagnose(network(), shuffled, only=["labels", "gradients", "depth"])
    assert report.faults == ["labels"]
    assert report["gradients"].verdict == report["depth"].verdict == "healthy"
    few = two_clouds(1024, 0.05, 0.0, 1)
    small_network = compiled(small((8, 8, 3), filters=(8,), classes=2))
    finding = diagnose(small_network, few, only=["labels"])["labels"]
    assert finding.verdict == "healthy"
    assert "too few images of the rarest class to judge" in finding.evidence


def test_one_batch_is_learned_by_heart_or_not():
    batch = TRAIN[0][:16], LABELS[:16]
    able = overfit_one_batch(network(optimizer=keras.optimizers.Adam(3e-3)), batch)
    assert able.succeeded and able.losses[-1] < 0.05 < able.losses[0]
    # Two equal images of different classes cannot both be right: -log(1/2) each.
    twice = TRAIN[0][[0, 0]], np.array([0, 1])
    unable = overfit_one_batch(
        network(optimizer=keras.optimizers.Adam(3e-3)), twice, steps=60
    )
    assert not unable.succeeded
    assert unable.losses.min() >= np.log(2) - 1e-4
    assert "not near zero" in str(unable)


SMOOTHED = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)


def test_soft_labels_of_one_batch_have_a_lowest_loss():
    batch, one_hot = TRAIN[0][:16], augment.one_hot(LABELS[:16], 10)
    # 91% for the class and 1% for each of nine others; two classes mixed by halves.
    smooth = -0.91 * np.log(0.91) - 0.09 * np.log(0.01)
    assert round(smooth, 3) == 0.500
    mixed = (one_hot + np.roll(np.eye(10), 1, axis=0)[LABELS[:16]]) / 2
    for loss, labels, floor in (
        (SMOOTHED, one_hot, smooth),
        ("categorical_crossentropy", mixed, np.log(2)),
        ("categorical_crossentropy", one_hot, 0.0),
    ):
        model = network(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
        found = overfit_one_batch(model, (batch, labels))
        assert found.floor == pytest.approx(floor, abs=1e-6)
        assert found.succeeded and floor - 1e-4 < found.losses[-1] < floor + 0.05
        assert (f"the lowest is {floor:.3g}" in str(found)) == (floor > 0)
    unable = overfit_one_batch(network(loss=SMOOTHED), (batch, one_hot), steps=2)
    assert not unable.succeeded and "not near the lowest, 0.5" in str(unable)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_no_prediction_has_less_than_the_lowest_loss(smoothing):
    """Keras's own loss of the smoothed labels as predictions, and of ones beside."""
    rng = np.random.default_rng(0)
    for kind, labels in (
        (keras.losses.CategoricalCrossentropy, rng.dirichlet(np.ones(4), 50)),
        (keras.losses.BinaryCrossentropy, rng.uniform(size=(50, 3))),
        (keras.losses.BinaryCrossentropy, rng.integers(0, 2, (50, 1))),
    ):
        model = compiled(network(), loss=kind(label_smoothing=smoothing))
        categorical = kind is keras.losses.CategoricalCrossentropy
        ideal = (1 - smoothing) * labels + smoothing / (4 if categorical else 2)
        floor = loss_of(model).floor(labels)
        labels = labels.astype("float32")
        assert floor == pytest.approx(float(model.loss(labels, ideal)), abs=1e-5)
        beside = np.clip(ideal + rng.normal(0, 0.05, ideal.shape), 1e-3, 0.999)
        assert float(model.loss(labels, beside)) > floor


def test_penalties_are_no_part_of_the_loss_of_one_batch():
    keras.utils.set_random_seed(0)
    plain = compiled(small(SHAPE, filters=(8,)))
    penalised = compiled(small(SHAPE, filters=(8,), l2=1.0))
    penalised.set_weights(plain.get_weights())
    batch = TRAIN[0][:8], LABELS[:8]
    first, second = (overfit_one_batch(m, batch, 1).losses for m in (plain, penalised))
    np.testing.assert_allclose(first, second, rtol=1e-5)


# Bias and variance.


def test_the_four_errors_of_the_slide():
    errors = bias_variance(0.01, 0.10, 0.102, 0.104)
    assert list(errors.steps) == [
        "avoidable bias",
        "variance",
        "overfitting to validation",
    ]
    np.testing.assert_allclose(list(errors.steps.values()), [0.09, 0.002, 0.002])
    assert errors.largest == "avoidable bias"
    assert "larger network" in errors.advice
    assert "avoidable bias               9.00 points" in str(errors)
    assert "| **avoidable bias** | 9.00 |" in errors._repr_markdown_()


@pytest.mark.parametrize(
    "given, largest",
    [
        ((0.01, 0.02, 0.10, 0.11), "variance"),
        ((0.01, 0.02, 0.03, 0.10), "overfitting to validation"),
        ((0.01, 0.02, 0.10, 0.11, 0.03), "data mismatch"),
        ((0.01, 0.02, 0.10, 0.11, 0.09), "variance"),
        ((0.1, 0.1, 0.1, 0.1), None),
        ((0.1, 0.05, 0.04, 0.04), None),
    ],
)
def test_the_largest_error(given, largest):
    assert bias_variance(*given).largest == largest


# Errors.


def test_what_cannot_be_checked_is_named():
    model = network()
    bare = keras.Model(model.input, model.output, name="bare")
    two = compiled(keras.Model(model.input, [model.output, model.output]))
    batch = next(iter([TRAIN]))
    for error, said, call in (
        (ValueError, "'bare' is not compiled", lambda: diagnose(bare, TRAIN)),
        (ValueError, "has 2 outputs", lambda: diagnose(two, TRAIN)),
        (TypeError, "Expected a Keras model, got str", lambda: diagnose("m", TRAIN)),
        (TypeError, "would use up", lambda: diagnose(model, iter([TRAIN]))),
        (TypeError, "of type int", lambda: diagnose(model, 3)),
        (ValueError, "no batch", lambda: diagnose(model, [])),
        (
            ValueError,
            "1024 images and 5 labels",
            lambda: diagnose(model, (TRAIN[0], LABELS[:5])),
        ),
        (ValueError, "no check 'x'", lambda: diagnose(model, TRAIN, only="x")),
        (ValueError, "batch_size is 0", lambda: diagnose(model, TRAIN, batch_size=0)),
        (ValueError, "images is 1.5", lambda: diagnose(model, TRAIN, images=1.5)),
        (ValueError, "steps is 0", lambda: overfit_one_batch(model, batch, 0)),
        (TypeError, "of type ndarray", lambda: overfit_one_batch(model, TRAIN[0])),
        (ValueError, "training error is 10", lambda: bias_variance(1e-2, 10, 0.1, 0.1)),
        (ValueError, "test error is nan", lambda: bias_variance(0, 0, 0, np.nan)),
    ):
        with pytest.raises(error, match=said):
            call()
