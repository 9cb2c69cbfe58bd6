"""How long receptive fields take: 50 to 800 layers, and ResNet-152.

    python -m benchmarks.receptive_field

The cost grows linearly with the number of layers. Times are processor time, the least
of five.
"""

import time

import keras
from keras import layers

from helpers.receptive_field import receptive_fields


def residual(depth: int) -> keras.Model:
    """Builds blocks of convolution, normalisation, activation and addition.

    Args:
        depth: number of layers; a multiple of 5.
    """
    inputs = keras.Input((224, 224, 4))
    x = inputs
    for i in range(depth // 5):
        shortcut = x
        # Every eighth block halves the map, until 7 x 7 are left.
        stride = 2 if i % 8 == 0 and x.shape[1] > 7 else 1
        if stride == 2:
            shortcut = layers.MaxPooling2D(2)(x)
        else:
            shortcut = layers.AveragePooling2D(3, 1, padding="same")(x)
        x = layers.Conv2D(4, 4, strides=stride, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Add()([x, shortcut])
    return keras.Model(inputs, x)


def seconds(model: keras.Model) -> float:
    """Returns the processor time of one analysis."""
    times = []
    for _ in range(5):
        start = time.process_time()
        receptive_fields(model)
        times.append(time.process_time() - start)
    return min(times)


def main():
    """Prints a row for each network."""
    print(f"{'network':<12}{'layers':>8}{'ms':>8}{'us a layer':>12}")
    networks = [(f"chain {n}", residual(n)) for n in (50, 100, 200, 400, 800)]
    resnet = keras.applications.ResNet152(
        weights=None, include_top=False, input_shape=(224, 224, 3)
    )
    networks.append(("ResNet152", resnet))
    for name, model in networks:
        spent = seconds(model)
        count = len(receptive_fields(model))
        print(f"{name:<12}{count:>8}{1e3 * spent:>8.1f}{1e6 * spent / count:>12.1f}")


if __name__ == "__main__":
    main()
