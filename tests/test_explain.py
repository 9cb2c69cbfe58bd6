"""Feature maps, Grad-CAM, occlusion and mistakes, on models whose answer is known."""

import random

import keras
import numpy as np
import pytest
from architecture_checks import check_on
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from helpers.architectures.inception_v1 import googlenet_cifar
from helpers.explain import (
    agreement,
    confusion_matrix,
    feature_maps,
    grad_cam,
    occlusion,
    on_image,
    worst_mistakes,
)
from helpers.receptive_field import receptive_fields

RANDOM = np.random.default_rng(0)


def images(count=3, size=12, channels=2):
    return RANDOM.uniform(0.1, 1, (count, size, size, channels)).astype("float32")


def head(x, weights, activation="softmax", **kwargs):
    """Averages maps and puts a dense layer of given weights behind."""
    x = layers.GlobalAveragePooling2D(name="average")(x)
    weights = np.array(weights, dtype="float32")
    dense = layers.Dense(weights.shape[1], activation, name="scores", **kwargs)
    x = dense(x)
    dense.kernel.assign(weights)
    return x


def corner(weights, scale=1.0, **kwargs):
    """Builds a network that sees rows 0 to 3 and columns 0 to 3 of 12x12 pixels."""
    inputs = keras.Input((12, 12, 2), name="image")
    x = layers.Cropping2D(((0, 8), (0, 8)), name="crop")(inputs)
    x = layers.ZeroPadding2D(((0, 8), (0, 8)), name="back")(x)
    one = keras.initializers.Constant(scale)
    x = layers.Conv2D(
        2, 1, kernel_initializer=one, activation="relu", use_bias=False, name="conv"
    )(x)
    return keras.Model(inputs, head(x, weights, **kwargs), name="corner")


def average_network(classes=3, activation="softmax"):
    """Builds a small network of random weights that ends in average and dense."""
    inputs = keras.Input((12, 12, 2), name="image")
    x = layers.Conv2D(6, 3, strides=2, activation="relu", name="conv1")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="conv2")(x)
    weights = RANDOM.normal(size=(5, classes))
    return keras.Model(inputs, head(x, weights, activation), name="average_network")


def split_softmax(model):
    """Builds the same network with the softmax in a layer of its own."""
    logits = [layers.Softmax(name="p"), layers.Activation("softmax", name="p")]
    for last in (*logits, ops.softmax):
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        copy.get_layer("scores").activation = keras.activations.linear
        yield keras.Model(copy.inputs, last(copy.outputs[0]))


# Grad-CAM


def test_behind_an_average_it_is_the_class_activation_map():
    """Zhou et al., equation 2, over the number of positions."""
    model, batch = average_network(), images()
    found = grad_cam(model, batch, classes=[0, 1, 2], signed=True)
    assert found.layer == "conv2" and found.maps.shape == (3, 3, 5, 5)
    maps = feature_maps(model, batch, "conv2")["conv2"]
    kernel = ops.convert_to_numpy(model.get_layer("scores").kernel)
    expected = np.einsum("nrsc,ck->nkrs", maps, kernel) / 25
    np.testing.assert_allclose(found.maps, expected, rtol=1e-4, atol=1e-6)
    # All of a score is in its map; the bias is zero here.
    np.testing.assert_allclose(
        found.maps.sum((2, 3)), found.scores, rtol=1e-4, atol=1e-5
    )
    positive = grad_cam(model, batch, classes=[0, 1, 2])
    np.testing.assert_allclose(positive.maps, np.maximum(found.maps, 0), atol=1e-6)


def test_behind_flatten_the_weights_are_means_of_gradients():
    inputs = keras.Input((4, 4, 2))
    x = layers.Activation("linear", name="maps")(inputs)
    outputs = layers.Dense(3, name="dense")(layers.Flatten()(x))
    model, batch = keras.Model(inputs, outputs), images(2, 4)
    kernel = ops.convert_to_numpy(model.get_layer("dense").kernel)
    weights = kernel.reshape(4, 4, 2, 3).mean((0, 1))
    expected = np.einsum("nrsc,ck->nkrs", batch, weights)
    found = grad_cam(model, batch, [0, 1, 2], signed=True)
    np.testing.assert_allclose(found.maps, expected, rtol=1e-4, atol=1e-6)


def test_a_network_that_sees_one_corner_has_its_map_there():
    model, batch = corner([[1, -1], [1, -1]]), images()
    for layer in (None, "crop"):
        found = grad_cam(model, batch, 0, layer)
        field = receptive_fields(model)[found.layer]
        for how in ("linear", "nearest"):
            placed = on_image(found.maps, field, how)
            assert placed.shape == (3, 1, 12, 12)
            # Interpolation carries half of the last cell to the next pixel at most.
            assert (placed[..., :4, :4] > 0).all()
            placed[..., :4, :4] = 0
            assert not placed.any()


def test_a_class_that_no_pixel_supports_has_a_map_of_zeros():
    found = grad_cam(corner([[1, -1], [1, -1]]), images(), [0, 1])
    assert found.maps[:, 0].any() and not found.maps[:, 1].any()


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_sure_network_keeps_its_map(activation):
    """The softmax's gradient is zero in 32 bits here; that of the score is not."""
    batch = images()
    model = corner([[1000, -1000], [1000, -1000]], activation=activation)
    assert (model.predict(batch, verbose=0)[:, 0] == 1).all()
    sure = grad_cam(model, batch, 0)
    unsure = grad_cam(corner([[1, -1], [1, -1]]), batch, 0)
    np.testing.assert_allclose(sure.maps, 1000 * unsure.maps, rtol=1e-4)
    np.testing.assert_allclose(sure.scores, 1000 * unsure.scores, rtol=1e-4)


def test_the_form_of_the_softmax_does_not_matter():
    model, batch = average_network(), images()
    expected = grad_cam(model, batch)
    for other in split_softmax(model):
        found = grad_cam(other, batch)
        np.testing.assert_allclose(found.maps, expected.maps, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
    reshaped = layers.Reshape((3,))(layers.Reshape((3, 1))(model.outputs[0]))
    found = grad_cam(keras.Model(model.inputs, reshaped), batch)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)


def test_several_classes_are_as_one_at_a_time_and_batches_do_not_matter():
    model, batch = average_network(), images(5)
    together = grad_cam(model, batch, [2, 0], batch_size=2)
    for place, label in enumerate((2, 0)):
        alone = grad_cam(model, batch, label)
        assert alone.classes.tolist() == [[label]] * 5
        np.testing.assert_allclose(together.maps[:, [place]], alone.maps, atol=1e-6)
    table = np.array([[0], [1], [2], [1], [0]])
    each = grad_cam(model, batch, table)
    everything = grad_cam(model, batch, [0, 1, 2])
    np.testing.assert_allclose(
        each.maps[:, 0], everything.maps[np.arange(5), table[:, 0]], atol=1e-6
    )
    predicted = model.predict(batch, verbose=0).argmax(1)
    assert grad_cam(model, batch).classes[:, 0].tolist() == predicted.tolist()


class Counted(layers.Layer):
    """Counts its calls on tensors."""

    count = 0

    def call(self, x):
        self.count += 1
        return x


def test_layers_in_front_of_the_maps_run_once_for_all_classes():
    inputs = keras.Input((12, 12, 2))
    first, last = Counted(name="first"), Counted(name="last")
    x = layers.Conv2D(2, 3, name="conv")(first(inputs))
    model = keras.Model(inputs, last(head(x, np.ones((2, 3)), None)))
    first.count = last.count = 0
    assert grad_cam(model, images(), [0, 1, 2]).layer == "conv"
    # The scores are computed a second time, as a function of the maps.
    assert (first.count, last.count) == (1, 2)


def branches(merge):
    inputs = keras.Input((12, 12, 2))
    left = layers.Conv2D(3, 3, padding="same", name="left")(inputs)
    right = layers.Conv2D(3, 5, padding="same", name="right")(inputs)
    if merge:
        x = layers.Concatenate(name="merged")([left, right])
        outputs = head(x, RANDOM.normal(size=(6, 2)))
    else:
        pooled = [layers.GlobalAveragePooling2D()(x) for x in (left, right)]
        outputs = layers.Dense(2, name="scores")(layers.Concatenate()(pooled))
    return keras.Model(inputs, outputs, name="branches")


def test_branches_that_merge_share_a_map():
    model, batch = branches(merge=True), images()
    merged = grad_cam(model, batch, [0, 1], signed=True)
    assert merged.layer == "merged"
    parts = [grad_cam(model, batch, [0, 1], x, signed=True) for x in ("left", "right")]
    np.testing.assert_allclose(
        merged.maps, parts[0].maps + parts[1].maps, rtol=1e-4, atol=1e-6
    )


def test_branches_that_end_side_by_side_want_a_choice():
    model, batch = branches(merge=False), images()
    with pytest.raises(ValueError, match="layer= 'left' or 'right'"):
        grad_cam(model, batch)
    parts = [grad_cam(model, batch, 0, x, signed=True) for x in ("left", "right")]
    bias = ops.convert_to_numpy(model.get_layer("scores").bias)[0]
    total = sum(part.maps.sum((1, 2, 3)) for part in parts) + bias
    np.testing.assert_allclose(total, parts[0].scores[:, 0], rtol=1e-4, atol=1e-5)


def test_a_shortcut_around_the_layer_is_not_in_its_map():
    """The sum of the layer's map is its share of the score, behind an addition."""
    inputs = keras.Input((12, 12, 2))
    x = layers.Conv2D(2, 3, padding="same", name="conv")(inputs)
    outputs = head(layers.Add(name="sum")([x, inputs]), [[1, 0], [2, 1]], None)
    model, batch = keras.Model(inputs, outputs), images()
    share = grad_cam(model, batch, 0, "conv", signed=True).maps.sum((1, 2, 3))
    maps = feature_maps(model, batch, "conv")["conv"].mean((1, 2))
    np.testing.assert_allclose(share, maps @ [1, 2], rtol=1e-4, atol=1e-6)


def nested():
    """Builds a model of a nested one that is called twice, with shared layers."""
    x = inner_inputs = keras.Input((None, None, 2))
    conv = layers.Conv2D(2, 3, padding="same", activation="relu", name="conv")
    x = layers.MaxPooling2D(2, name="pool")(conv(conv(x)))
    inner = keras.Model(inner_inputs, x, name="inner")
    inputs = keras.Input((12, 12, 2))
    outputs = head(inner(inner(inputs)), [[1, 2], [3, 4]])
    return keras.Model(inputs, outputs, name="outer"), inner, conv


def test_shared_and_nested_layers_have_a_map_for_each_call():
    model, inner, conv = nested()
    batch = images()
    once = ops.convert_to_numpy(inner(batch))
    twice = ops.convert_to_numpy(inner(once))
    found = feature_maps(model, batch)
    assert list(found) == [
        *("inner/conv", "inner/conv/1", "inner/pool"),
        *("inner/1/conv", "inner/1/conv/1", "inner/1/pool"),
    ]
    np.testing.assert_allclose(
        found["inner/conv"], ops.convert_to_numpy(conv(batch)), atol=1e-6
    )
    np.testing.assert_allclose(found["inner/pool"], once, atol=1e-6)
    np.testing.assert_allclose(found["inner/1/pool"], twice, atol=1e-6)
    named = feature_maps(model, batch, ["inner/1", "scores"])
    np.testing.assert_allclose(named["inner/1"], twice, atol=1e-6)
    np.testing.assert_allclose(
        named["scores"], model.predict(batch, verbose=0), atol=1e-6
    )
    heat = grad_cam(model, batch, 1, signed=True)
    assert heat.layer == "inner/1/pool"
    np.testing.assert_allclose(heat.maps[:, 0], twice @ [2, 4] / 9, rtol=1e-4)
    field = receptive_fields(model)[heat.layer]
    assert on_image(heat.maps, field).shape == (3, 1, 12, 12)


def test_it_runs_in_inference_mode_whatever_the_layers_take_for_granted():
    """RandomFlip called by itself flips; Dropout asked to train would drop."""
    inputs = keras.Input((12, 12, 2))
    x = layers.RandomFlip(name="flip")(inputs)
    x = layers.Dropout(0.5, name="drop")(x, training=True)
    model = keras.Model(inputs, head(x, np.ones((2, 2))))
    batch = images()
    for name, maps in feature_maps(model, batch).items():
        np.testing.assert_array_equal(maps, batch, err_msg=name)


def test_several_inputs_and_outputs():
    model = googlenet_cifar(width=0.125, side_branches=True)
    batch = images(2, 32, 3)
    main, side = grad_cam(model, batch), grad_cam(model, batch, output=1)
    assert len(model.outputs) == 3 and main.layer != side.layer
    left, right = (keras.Input((12, 12, 2), name=name) for name in ("left", "right"))
    x = layers.Add(name="sum")([left, right])
    model = keras.Model({"left": left, "right": right}, head(x, [[1], [1]], None))
    first, second = images(), images()
    found = grad_cam(model, {"left": first, "right": second}, 0)
    np.testing.assert_allclose(
        found.maps[:, 0], (first + second).sum(-1) / 144, rtol=1e-4
    )
    with pytest.raises(ValueError, match=r"has 2 input\(s\), got 1"):
        grad_cam(model, first)


def test_in_16_bits_maps_are_near_and_of_32():
    model, batch = average_network(), images()
    expected = grad_cam(model, batch, [0, 1, 2])
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        # A clone would keep the 32 bits of its layers.
        mixed = average_network()
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(model.get_weights())
    found = grad_cam(mixed, batch, [0, 1, 2])
    assert found.maps.dtype == found.scores.dtype == "float32"
    assert found.maps.shape == expected.maps.shape
    np.testing.assert_allclose(found.maps, expected.maps, atol=0.1 * np.ptp(found.maps))
    assert feature_maps(mixed, batch)["conv2"].dtype == "float32"
    assert occlusion(mixed, batch, score="probability").drops.dtype == "float32"


def test_the_model_stays_as_it_was():
    model, batch = average_network(), images()
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights(), model.predict(batch, verbose=0), model.to_json()
    drawn = random.getstate()
    grad_cam(model, batch, [0, 1])
    feature_maps(model, batch)
    occlusion(model, batch)
    assert random.getstate() == drawn
    for old, new in zip(before[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(before[1], model.predict(batch, verbose=0))
    assert model.to_json() == before[2] and len(model.layers) == 6
    assert all(len(layer._inbound_nodes) == 1 for layer in model.layers)


# Placing


def test_a_map_lies_where_its_pixels_are():
    """One bright pixel, and a network without padding that reads it at its centre."""
    inputs = keras.Input((21, 15, 1))
    kernel = np.zeros((7, 5, 1, 1), dtype="float32")
    kernel[3, 2] = 1
    conv = layers.Conv2D(1, (7, 5), strides=2, use_bias=False, name="conv")
    model = keras.Model(inputs, head(conv(inputs), [[1]], None))
    conv.set_weights([kernel])
    field = receptive_fields(model)["conv"]
    for row, column in ((3, 2), (7, 4), (17, 12)):
        image = np.zeros((1, 21, 15, 1))
        image[0, row, column] = 1
        heat = grad_cam(model, image, 0)
        for how in ("linear", "nearest"):
            placed = on_image(heat.maps, field, how)[0, 0]
            assert placed[row, column] == placed.max() > 0
        linear = on_image(heat.maps, field)[0, 0] / placed.max()
        # Half at each neighbour, but for those beyond the last centre.
        assert linear[row, column - 1] == (1 if column == 2 else 0.5)
        # Stretched, the map would be elsewhere.
        stretched = np.unravel_index(np.argmax(heat.maps), heat.maps.shape)[2:]
        middle = (np.array(stretched) + 0.5) * (21 / 8, 15 / 6)
        assert (abs(middle - (row + 0.5, column + 0.5)) > 0.5).any()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["same", "valid"]),
    st.integers(0, 10**6),
)
def test_linear_placing_keeps_ramps_and_ranges(kernel, stride, padding, seed):
    """Cells that hold the centres of their fields give each pixel its own place."""
    inputs = keras.Input((16, 16, 1))
    conv = layers.Conv2D(1, kernel, strides=stride, padding=padding, name="conv")
    field = receptive_fields(keras.Model(inputs, conv(inputs)))["conv"]
    rows, columns = (
        start + jump * np.arange(size)
        for start, jump, size in zip(
            field.start, field.jump, field.output_size, strict=True
        )
    )
    placed = on_image(rows[:, None] + 100 * columns, field)
    pixels = np.arange(16) + 0.5
    down = np.clip(pixels, rows[0], rows[-1])
    across = np.clip(pixels, columns[0], columns[-1])
    first, last = field.interval(0)[0][0], field.interval(len(rows) - 1)[0][1]
    seen = (np.arange(16) >= first) & (np.arange(16) <= last)
    expected = (down[:, None] + 100 * across) * np.outer(seen, seen)
    np.testing.assert_allclose(placed, expected, rtol=1e-4)
    maps = np.random.default_rng(seed).normal(size=(2, *field.output_size))
    for how in ("linear", "nearest"):
        placed = on_image(maps, field, how)[:, seen][:, :, seen]
        assert placed.max() <= maps.max() + 1e-6
        assert placed.min() >= maps.min() - 1e-6


def test_placing_says_what_does_not_fit():
    field = receptive_fields(average_network())["conv2"]
    with pytest.raises(ValueError, match=r"\(4, 4\) positions.* has \(5, 5\)"):
        on_image(np.zeros((1, 1, 4, 4)), field)
    with pytest.raises(ValueError, match="interpolation is 'cubic'"):
        on_image(np.zeros((1, 1, 5, 5)), field, "cubic")
    x = inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(1, 3, strides=2, padding="same", name="conv")(x)
    field = receptive_fields(keras.Model(inputs, x))["conv"]
    with pytest.raises(ValueError, match=r"positions, layer 'conv' has \(None, None\)"):
        on_image(np.zeros((5, 5)), field)


# Occlusion


def test_occlusion_of_a_linear_network_is_the_sum_under_the_patch():
    inputs = keras.Input((10, 9, 2))
    outputs = layers.Dense(3, name="dense")(layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    batch = RANDOM.normal(size=(2, 10, 9, 2)).astype("float32")
    kernel = ops.convert_to_numpy(model.get_layer("dense").kernel)
    kernel = kernel.reshape(10, 9, 2, 3)
    fill = np.array([0.5, -0.25])
    found = occlusion(model, batch, [2, 0], size=4, stride=3, fill=fill, batch_size=5)
    parts = np.einsum("nrsc,rsck->nkrs", batch - fill, kernel[..., [2, 0]])
    # 3 x 3 patches: rows 0 to 9, columns -0.5 to 9.5, the half rounded to column 0.
    assert found.drops.shape == (2, 2, 3, 3)
    assert (found.start, found.jump) == ((2, 2), (3, 3))
    expected = [
        [parts[..., r : r + 4, c : c + 4].sum((2, 3)) for c in (0, 3, 6)]
        for r in (0, 3, 6)
    ]
    np.testing.assert_allclose(
        found.drops, np.moveaxis(expected, (0, 1), (2, 3)), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(
        found.scores, model.predict(batch, verbose=0)[:, [2, 0]], rtol=1e-4, atol=1e-6
    )


def test_patches_at_the_edge_stick_out_by_as_much_on_both_sides():
    found = occlusion(corner([[1, 0], [1, 0]]), images(1), 0, size=5, stride=5)
    # 3 patches are 15 pixels, 3 more than the image: 1 above, 2 below.
    assert found.drops.shape == (1, 1, 3, 3)
    assert found.start == (1.5, 1.5) and found.on_image().shape == (1, 1, 12, 12)


def test_occlusion_finds_the_corner_and_nothing_else():
    model, batch = corner([[1, -1], [1, -1]]), images()
    found = occlusion(model, batch, [0, 1], size=2, stride=2, fill=0)
    hidden = np.zeros((6, 6), bool)
    hidden[:2, :2] = True
    assert (found.drops[:, 0][:, hidden] > 0).all()
    assert (found.drops[:, 1][:, hidden] < 0).all()
    # Batches of other sizes are summed in another order on some backends.
    np.testing.assert_allclose(found.drops[..., ~hidden], 0, atol=1e-6)


def test_the_check_agrees_with_grad_cam_on_the_corner():
    model, batch = corner([[1, -1], [1, -1]]), images()
    heat = grad_cam(model, batch, [0, 1], signed=True)
    placed = on_image(heat.maps, receptive_fields(model)[heat.layer])
    covered = occlusion(model, batch, [0, 1], size=1, stride=1, fill=0).on_image()
    # Covering one pixel takes exactly what the pixel gave.
    np.testing.assert_allclose(covered, placed, atol=1e-6)
    np.testing.assert_allclose(agreement(covered, placed), 1, atol=1e-3)


def test_probabilities_hide_what_logits_show():
    batch = images()
    model = corner([[1000, -1000], [1000, -1000]])
    logit = occlusion(model, batch, 0, size=2, stride=2, fill=0)
    probability = occlusion(
        model, batch, 0, size=2, stride=2, fill=0, score="probability"
    )
    assert logit.score == "logit" and logit.drops.max() > 1
    assert (probability.scores == 1).all() and not probability.drops.any()
    whole = occlusion(model, batch, 0, size=12, fill=0, score="probability")
    np.testing.assert_allclose(whole.drops, 0.5)


def test_a_patch_is_by_default_of_the_images_own_mean():
    """So an image of one colour loses nothing, whatever is beside it."""
    batch = images()
    batch[0] = [0.3, 0.7]
    model = corner([[1, 0], [1, 0]])
    found = occlusion(model, batch, 0, size=4, stride=4)
    np.testing.assert_allclose(found.drops[0], 0, atol=1e-6)
    assert found.drops[1].any()
    alone = occlusion(model, batch[1:2], 0, size=4, stride=4)
    np.testing.assert_allclose(alone.drops[0], found.drops[1], atol=1e-6)


def test_agreement_is_the_correlation_of_ranks():
    ramp = np.arange(12.0).reshape(3, 4)
    maps = np.stack([ramp, ramp, ramp, ramp])
    others = np.stack([ramp**3, -ramp, np.ones((3, 4)), 1e-9 * ramp])
    found = agreement(maps, others)
    np.testing.assert_allclose(found, [1, -1, np.nan, 1], atol=1e-12)
    # Spearman's formula for two ranks exchanged: 1 - 6 * 2 / (n (n^2 - 1)).
    swapped = ramp.copy()
    swapped[0, :2] = swapped[0, 1::-1]
    assert agreement(ramp, swapped) == pytest.approx(1 - 12 / (12 * 143))
    with pytest.raises(ValueError, match=r"\(3, 4\) and \(4, 3\)"):
        agreement(ramp, ramp.T)


# Mistakes


def test_the_confusion_matrix_counts():
    found = confusion_matrix([0, 1, 1, 2, 2, 2], [[0], [1], [2], [2], [2], [0]], 3)
    assert found.tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 2]]
    images = RANDOM.integers(0, 5, (2, 300))
    found = confusion_matrix(*images.astype("uint8"), 5)
    assert found.sum() == 300
    assert found.sum(1).tolist() == np.bincount(images[0], minlength=5).tolist()
    assert np.trace(found) == (images[0] == images[1]).sum()


def test_the_surest_mistakes_come_first():
    probabilities = np.array(
        [[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]]
    )
    labels = np.array([0, 1, 1, 1, 0])
    assert worst_mistakes(probabilities, labels).tolist() == [0, 1, 4, 3]
    assert worst_mistakes(probabilities, labels[:, None], 2).tolist() == [0, 1]
    assert worst_mistakes(probabilities, probabilities.argmax(1)).tolist() == []


def test_the_probability_of_one_unit_is_given_for_both_classes():
    p = np.array([[0.9], [0.2], [0.4]])
    assert worst_mistakes(np.hstack([1 - p, p]), [0, 0, 1]).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion_matrix([0, 3], [0, 1], 3), "labels hold the class 3"),
        (lambda: confusion_matrix([0, 1], [0], 3), "2 labels and 1 predictions"),
        (lambda: confusion_matrix([0.5], [0], 3), "labels are float64"),
        (lambda: worst_mistakes(np.eye(2), [0, 1, 1]), "2 predictions and 3 labels"),
        (lambda: worst_mistakes(np.array([[3.0, -2.0]]), [0]), "lowest value -2"),
        (lambda: worst_mistakes(np.array([[np.nan, 1]]), [0]), "row 0 is not"),
        (lambda: worst_mistakes(np.ones(3), [0, 0, 0]), r"shape \(3,\)"),
        (lambda: worst_mistakes(np.eye(2), [0, 1], -1), "count is -1"),
        (lambda: worst_mistakes(np.full((2, 1), 0.7), [0, 1]), r"hstack\(\[1 - p, p"),
    ],
)
def test_mistakes_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Errors of models and arguments


def unbuilt():
    return keras.Sequential([layers.Conv2D(2, 3), layers.Flatten()])


def without_maps():
    inputs = keras.Input((12, 12, 2))
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)), name="flat")


def segmenting():
    inputs = keras.Input((12, 12, 2))
    return keras.Model(inputs, layers.Conv2D(2, 1)(inputs), name="segmenting")


class Subclassed(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (unbuilt, {}, "is not built.*keras.Input"),
        (Subclassed, {}, "subclassed Subclassed.*keras.Model"),
        (without_maps, {}, "no layer of model 'flat'.*convolutional"),
        (segmenting, {}, r"shape \(None, 12, 12, 2\), expected \(batch, classes\)"),
        (average_network, {"layer": "scores"}, r"'scores' .* \(None, 3\), no maps"),
        (average_network, {"classes": 3}, "no class 3: .* from 0 to 2"),
        (average_network, {"classes": [0, -1]}, "no class -1"),
        (average_network, {"classes": [0.5]}, "float64, expected integers"),
        (average_network, {"classes": np.zeros((2, 1), int)}, r"\(2, 1\) for 3 images"),
        (average_network, {"output": 1}, "has no output 1: it has 1"),
    ],
)
def test_grad_cam_names_what_is_wrong(build, arguments, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(build(), images(), **arguments)


def test_images_that_do_not_fit_are_named():
    model = average_network()
    for function in (grad_cam, feature_maps, occlusion):
        with pytest.raises(ValueError, match=r"\(3, 8, 8, 2\); .* \(None, 12, 12, 2\)"):
            function(model, images(size=8))
        with pytest.raises(ValueError, match=r"images\[None\]"):
            function(model, images()[0])
        with pytest.raises(ValueError, match="at least one image"):
            function(model, images()[:0])


def test_a_layer_that_is_not_there_has_near_names():
    model = average_network()
    for call in (grad_cam, feature_maps):
        name = {"layer": "conv3"} if call is grad_cam else {"layers": ["conv3"]}
        with pytest.raises(KeyError, match="no layer 'conv3'; did you mean 'conv"):
            call(model, images(), **name)
    with pytest.raises(ValueError, match="'flat' has no layer with maps.*flatten"):
        feature_maps(without_maps(), images())


def test_a_layer_beside_the_output_does_not_reach_it():
    inputs = keras.Input((12, 12, 2))
    side = layers.Conv2D(1, 3, name="side")(inputs)
    main = layers.Conv2D(1, 3, name="main")(inputs)
    pooled = [layers.GlobalAveragePooling2D()(x) for x in (main, side)]
    model = keras.Model(inputs, pooled)
    assert grad_cam(model, images()).layer == "main"
    with pytest.raises(ValueError, match="'side' does not reach output 0"):
        grad_cam(model, images(), layer="side")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 13}, r"13 pixels does not fit an image of \(12, 12\).* 1 to 12"),
        ({"size": 2, "stride": 3}, "stride of 3 with a patch of 2"),
        ({"stride": 0}, "stride of 0"),
        ({"score": "loss"}, "score is 'loss'"),
        ({"fill": [1, 2, 3]}, r"fill has the shape \(3,\).* 2 channels"),
        ({"classes": 7}, "no class 7"),
    ],
)
def test_occlusion_names_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        occlusion(average_network(), images(), **arguments)


def test_scores_without_a_softmax_are_no_probabilities():
    model = average_network(activation=None)
    with pytest.raises(ValueError, match='Take score="logit"'):
        occlusion(model, images(), score="probability")
    logits = model.predict(images(), verbose=0)
    assert occlusion(model, images()).scores.shape == (len(logits), 1)


def test_one_output_is_of_its_positive_class():
    """Also where it is below a half: what is there speaks for the other class."""
    model, batch = corner([[-1], [-1]], activation="sigmoid"), images()
    assert (model.predict(batch, verbose=0) < 0.5).all()
    heat = grad_cam(model, batch, signed=True)
    covered = occlusion(model, batch, size=2, stride=2, fill=0)
    for found, values in ((heat, heat.maps), (covered, covered.drops)):
        assert not found.classes.any() and (found.scores < 0).all()
        assert values.min() < 0 and values.max() < 1e-6
    for explain in (grad_cam, occlusion):
        with pytest.raises(ValueError, match="one output, class 0 here, which is its"):
            explain(model, batch, 1)


SOME = "class_activation or one_corner or nested_layers or linear_net"


@pytest.mark.parametrize(
    "backend, chosen",
    [
        ("jax", SOME),
        pytest.param("torch", "not elsewhere", marks=pytest.mark.applications),
    ],
    ids=["jax", "torch"],
)
def test_same_answers_elsewhere(backend, chosen):
    """Also with the gradients of other backends."""
    check_on(backend, __file__, chosen)
