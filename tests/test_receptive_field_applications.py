"""The networks of keras.applications, against published values."""

import time

import keras
import pytest

from helpers.receptive_field import receptive_fields

# Field of the last spatial layer without the head; from Araujo, Norris and Sim 2019,
# https://distill.pub/2019/computing-receptive-fields (VGG19 by the same recursion).
PUBLISHED = {
    "VGG16": 212,
    "VGG19": 268,
    "ResNet50": 483,
    "ResNet101": 1027,
    "ResNet152": 1507,
    "InceptionV3": 1311,
    "InceptionResNetV2": 3039,
    "MobileNet": 315,
    "MobileNetV2": 491,
}
QUICK = ["VGG16", "ResNet50", "MobileNet", "MobileNetV2", "EfficientNetB0"]
QUICK += ["ConvNeXtTiny", "MobileNetV3Small", "InceptionV3"]
EVERY = [name for name in dir(keras.applications) if name[0].isupper()]


@pytest.fixture(autouse=True)
def cheap_weights(monkeypatch):
    """Fills weights with zeros: random ones take most of the time of building."""
    add_weight = keras.Layer.add_weight

    def zeros(self, shape=None, initializer=None, **kwargs):
        return add_weight(self, shape, "zeros", **kwargs)

    monkeypatch.setattr(keras.Layer, "add_weight", zeros)
    yield
    keras.backend.clear_session()


def build(name, size):
    return getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(size, size, 3)
    )


def sliding(steps):
    """Returns field and jump after (kernel, stride) steps, by the recursion."""
    size, jump = 1, 1
    for kernel, stride in steps:
        size, jump = size + (kernel - 1) * jump, jump * stride
    return size, jump


def efficientnet_b0():
    """Kernel, stride and repeats of the paper's table, stem first."""
    stages = [(3, 2, 1), (3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3)]
    stages += [(5, 2, 4), (3, 1, 1)]
    return [
        (kernel, stride if i == 0 else 1)
        for kernel, stride, repeats in stages
        for i in range(repeats)
    ]


def convnext_tiny():
    """A 4x4 patch, then 3, 3, 9 and 3 blocks of 7x7 with 2x2 in between."""
    steps = [(4, 4)] + [(7, 1)] * 3
    for blocks in (3, 9, 3):
        steps += [(2, 2)] + [(7, 1)] * blocks
    return steps


@pytest.mark.parametrize("name", QUICK)
def test_the_published_value(name):
    fields = receptive_fields(build(name, 224))
    last = list(fields.values())[-1]
    assert last.jump == (32, 32)
    if name in PUBLISHED:
        assert last.size == (PUBLISHED[name],) * 2
    if name == "VGG16":
        convolutions = [f.size[0] for n, f in fields.items() if n.startswith("block")]
        assert convolutions == [
            3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212,
        ]  # fmt: skip
    if name == "EfficientNetB0":
        assert sliding(efficientnet_b0()) == (851, 32)
        assert last.size == (851, 851)
        assert last.whole
        # The first gate sees the image, the path beside it 7 pixels.
        assert fields["block1a_se_excite"].size == (7, 7)
        assert fields["block1a_se_excite"].whole
        assert not fields["block1a_activation"].whole
    if name == "ConvNeXtTiny":
        assert sliding(convnext_tiny()) == (1688, 32)
        assert last.size == (1688, 1688)


def test_resnet152_takes_a_third_of_a_second():
    model = build("ResNet152", 224)
    times = []
    for _ in range(3):
        start = time.process_time()
        fields = receptive_fields(model)
        times.append(time.process_time() - start)
    assert list(fields.values())[-1].size == (1507, 1507)
    assert min(times) <= 0.3


@pytest.mark.applications
@pytest.mark.parametrize("size", [224, 299])
@pytest.mark.parametrize("name", EVERY)
def test_every_model(name, size):
    last = list(receptive_fields(build(name, size)).values())[-1]
    if name in PUBLISHED:
        assert last.size == (PUBLISHED[name],) * 2
    # Each halves the image five times (inputs of other models than Inception's and
    # NASNet's are not cut), and all fields but those of small kernels cover it.
    assert last.jump == (32, 32)
    assert last.output_size[0] <= -(-size // 32)
