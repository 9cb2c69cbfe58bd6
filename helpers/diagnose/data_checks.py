"""Checks of the images and labels: scale, labels, likeness, batches."""

import numpy as np

from helpers.diagnose.association import association
from helpers.diagnose.case import Case
from helpers.diagnose.report import Finding, fault, healthy, unchecked

# Root mean square of what the first weights get: 1 for standardised images, 0.5 for
# pixels divided by 255, about 140 for pixels of 0 to 255, 0.002 for pixels divided by
# 255 twice. One order of magnitude above 1 and two below leave room for other data.
_LARGE_INPUT = 10.0
_SMALL_INPUT = 0.01
# |mean| / standard deviation of a channel: 2 for pixels divided by 255, 5 for scanned
# pages, mostly white. Beyond, all weights of a unit change in the same direction at
# each step (LeCun et al., Efficient BackProp, section 4.3).
_OFF_CENTRE = 10.0

# Differences of training and validation images in standard errors: by chance, six
# happen once in 500 million comparisons.
_STANDARD_ERRORS = 6.0
# And in size: a shift by the channel's standard deviation, a ratio of two standard
# deviations. CIFAR-10's red and blue, exchanged, shift by 0.18.
_SHIFT, _RATIO = 0.1, 1.15
# Augmented images differ from validation images by design: a crop from images padded
# by 4 black pixels shifts CIFAR-10's mean by 0.27 standard deviations, mixing two
# images divides the standard deviation by up to 1.41. Pixels divided by 255 beside
# standardised ones have a ratio of 4. So wide are the limits of what augmentation
# itself does; a `BatchGenerator` shows its images without it to the limits above.
_AUGMENTED_SHIFT, _AUGMENTED_RATIO = 0.5, 2.0

# "Large" batches are a tenth of the images in Keskar et al., On Large-Batch Training
# for Deep Learning, https://arxiv.org/abs/1609.04836, section 2.
_LARGE_SHARE = 0.1
# Never too large: the best were 2 to 32 in Masters and Luschi, Revisiting Small Batch
# Training for Deep Neural Networks, https://arxiv.org/abs/1804.07612.
_SMALL_BATCH = 32

# Of the classes that equal shares would show in the sample, half must be seen.
_SEEN = 0.5


def check_inputs(case: Case) -> Finding:
    """Looks for inputs that are not normalised, where the first weights get them.

    A rescaling or normalising layer inside the model counts as it should.

    Args:
        case: Model and data.

    Returns:
        A fault where values are no numbers, or their scale or centre is far from
        that of standardised images. Paper: LeCun et al., Efficient BackProp, 1998.
    """
    check = "inputs"
    bad = int(np.sum(~np.isfinite(np.asarray(case.train.images, "float64"))))
    if bad:
        return fault(
            check,
            f"{bad:,} values of {case.train.images.size:,} are no finite numbers",
            "Find the images that hold NaN or infinity, and leave them out.",
        )
    if not case.kernels:
        return unchecked(check, "the model has no layer with a kernel")
    first = case.kernels[0]
    size = float(np.sqrt(np.mean(first.mean**2 + first.std**2)))
    centre = np.abs(first.mean) / np.maximum(first.std, 1e-12)
    evidence = (
        f"{first.layer.name!r} gets values of mean {first.mean.mean():.3g}, standard "
        f"deviation {first.std.mean():.3g}, root mean square {size:.3g}"
    )
    advice = (
        "Standardise the images: subtract the training images' mean of each channel, "
        "divide by its standard deviation; or divide pixels by 255, once."
    )
    if not _SMALL_INPUT <= size <= _LARGE_INPUT:
        return fault(check, evidence, advice)
    if len(centre) == case.train.images.shape[-1] and np.median(centre) > _OFF_CENTRE:
        off = f"; its channels' means are {np.median(centre):.3g} deviations from 0"
        return fault(check, evidence + off, advice)
    return healthy(check, evidence)


def check_labels(case: Case) -> Finding:
    """Looks at the labels, which nobody has looked at yet.

    Args:
        case: Model and data.

    Returns:
        A fault where labels are text or constant, do not fit the model's outputs or
        the loss, come class by class, or have nothing to do with the images as far as
        simple features tell. The last is likely, not certain, and said only where
        there are enough images of the rarest class.
    """
    check, sample, outputs = "labels", case.train, case.outputs
    labels, classes = sample.labels, sample.classes
    if _is_text(labels):
        return fault(
            check,
            f"the labels are text, such as {labels.flat[0]!r}",
            "Number the classes from 0: np.unique(labels, return_inverse=True)[1].",
        )
    if not np.isfinite(np.asarray(labels, "float64")).all():
        return fault(check, "some labels are no numbers", "Read the labels again.")
    seen, counts = np.unique(classes, return_counts=True)
    problem = _misfit(case, labels, classes)
    if problem:
        return fault(check, *problem)
    if len(seen) == 1:
        return fault(
            check,
            f"all {len(classes)} labels looked at are {seen[0]:g}",
            "Look at the labels beside their images; read them again.",
        )
    evidence = (
        f"{len(classes)} labels of {len(seen)} classes, the commonest "
        f"{counts.max() / counts.sum():.1%}"
    )
    if case.loss.kind is None:  # other numbers than classes
        return healthy(check, evidence)
    units = max(outputs, 2)
    expected = units * (1.0 - (1.0 - 1.0 / units) ** len(classes))
    if len(seen) < _SEEN * expected:
        return fault(
            check,
            f"{len(classes)} labels show {len(seen)} classes, the model has {outputs} "
            "outputs",
            "Give the last layer one output a class.",
        )
    runs = [classes[sample.batches == number] for number in np.unique(sample.batches)]
    runs = [run for run in runs if len(run) >= 8]
    if len(runs) > 1 and all(len(np.unique(run)) == 1 for run in runs):
        return fault(
            check,
            f"each of the {len(runs)} batches looked at holds one class only",
            "Shuffle the images before they are cut into batches.",
        )
    link = association(sample.images, classes)
    if link is None:
        return healthy(check, evidence)
    evidence += f"; {link}"
    if link.by_chance:
        return fault(
            check,
            evidence,
            "Show images with their labels: probably one of the two was shuffled "
            "without the other.",
            certain=False,
        )
    if not link.seen:
        evidence += ": too few images of the rarest class to judge by (see images=)"
    return healthy(check, evidence)


def _is_text(labels):
    kinds = str | bytes  # of tf.data come objects, of arrays NumPy's own kinds
    return labels.dtype.kind in "SU" or isinstance(labels.flat[0], kinds)


def _misfit(case, labels, classes):
    """Says how labels do not fit the outputs or the loss, and what to do."""
    outputs, width = case.outputs, labels.shape[1] if labels.ndim == 2 else 1
    loss = case.loss
    if loss.kind == "sparse" and width > 1:
        return (
            f"the loss takes class numbers, the labels have the shape {labels.shape}",
            'Compile with "categorical_crossentropy", or give labels.argmax(axis=1).',
        )
    if loss.kind in ("categorical", "binary") and width != outputs:
        return (
            f"the loss takes {outputs} values a label, the labels have the shape "
            f"{labels.shape}",
            'Compile with "sparse_categorical_crossentropy", or one-hot labels.',
        )
    if loss.kind is None or width > 1:
        return None
    limit = max(outputs, 2)
    if classes.min() < 0 or classes.max() >= limit:
        return (
            f"labels go from {classes.min():g} to {classes.max():g}, and {outputs} "
            f"outputs take 0 to {limit - 1}",
            "Count classes from 0, and give the last layer one output a class.",
        )
    return None


def check_alike(case: Case) -> Finding:
    """Compares training and validation images by channel.

    Args:
        case: Model and data with validation images.

    Returns:
        A fault where mean or standard deviation of a channel differ by more than
        sampling explains, before augmentation where that can be had, or by more than
        augmentation explains.
    """
    check = "alike"
    if case.validation is None:
        return unchecked(check, "no validation images were given")
    train, other = case.train, case.validation
    if train.images.shape[1:] != other.images.shape[1:]:
        return fault(
            check,
            f"training images are {train.images.shape[1:]}, validation images "
            f"{other.images.shape[1:]}",
            "Send both through the same preprocessing.",
        )
    # What a data set of an unknown kind does may be augmentation.
    changed = [sample.augmented is not False for sample in (train, other)]
    found = []
    if train.plain is not None and other.plain is not None:
        when = "before augmentation, " if any(changed) else ""
        found.append(_likeness(train.plain, other.plain, _SHIFT, _RATIO, when))
    if any(changed):
        pair = (
            sample.images if may else sample.plain
            for sample, may in zip((train, other), changed, strict=True)
        )
        found.append(_likeness(*pair, _AUGMENTED_SHIFT, _AUGMENTED_RATIO))
    finding = next((finding for finding in found if finding.fault), found[0])
    if finding.fault and (train.beginning or other.beginning):
        note = "; of one of the two only the beginning could be read"
        return fault(check, finding.evidence + note, finding.advice)
    return finding


def _likeness(images, others, shift_limit, ratio_limit, when=""):
    """Compares images by two limits."""
    here, there = _moments(images), _moments(others)
    scale = np.sqrt((here.variance + there.variance) / 2.0)
    scale = np.maximum(scale, 1e-12)
    shift = np.abs(here.mean - there.mean) / scale
    shift_error = np.hypot(here.mean_error, there.mean_error) / scale
    low, high = np.sort([here.variance, there.variance], axis=0)
    ratio = np.sqrt(np.maximum(high, 1e-24) / np.maximum(low, 1e-24))
    spread_error = np.hypot(here.variance_error, there.variance_error)
    evidence = (
        f"{when}channels' means {_listed(here.mean)} and {_listed(there.mean)}, "
        f"standard deviations {_listed(np.sqrt(here.variance))} and "
        f"{_listed(np.sqrt(there.variance))}"
    )
    moved = (shift > shift_limit) & (shift > _STANDARD_ERRORS * shift_error)
    spread = (ratio > ratio_limit) & (high - low > _STANDARD_ERRORS * spread_error)
    if moved.any() or spread.any():
        return fault(
            "alike",
            f"{evidence}: a shift of {shift.max():.2g} deviations, a ratio of "
            f"{ratio.max():.3g}",
            "Preprocess both by one function, with the training images' mean and "
            "standard deviation.",
        )
    return healthy("alike", evidence)


class _moments:
    """Mean and variance by channel, and their errors from image to image."""

    def __init__(self, images):
        images = images.reshape(len(images), -1, images.shape[-1])
        if images.shape[1] == 1:  # rows of features: one channel for all of them
            images = images.reshape(len(images), -1, 1)
        means = images.mean(axis=1, dtype="float64")
        self.mean = means.mean(axis=0)
        # An image at a time: all of them in float64 take several times their memory.
        squares = [((image - self.mean) ** 2).mean(axis=0) for image in images]
        squares = np.array(squares)
        self.variance = squares.mean(axis=0)
        root = max(1.0, np.sqrt(len(images) - 1))
        self.mean_error = means.std(axis=0) / root
        self.variance_error = squares.std(axis=0) / root


def _listed(values):
    return ", ".join(f"{value:.3g}" for value in values[:4])


def check_batch_size(case: Case) -> Finding:
    """Relates the batch size to the number of images.

    Args:
        case: Model and data.

    Returns:
        A fault where a batch is a tenth of the images or more. Paper: Keskar et al.,
        On Large-Batch Training for Deep Learning, https://arxiv.org/abs/1609.04836
    """
    check, size, total = "batch_size", case.train.batch_size, case.train.total
    if total is None:
        return unchecked(check, "the data do not say how many images they hold")
    steps = -(-total // size)
    evidence = (
        f"batches of {size:,} from {total:,} images: {steps:,} "
        f"step{'s' if steps > 1 else ''} an epoch"
    )
    if size > _SMALL_BATCH and size >= _LARGE_SHARE * total:
        advised = max(_SMALL_BATCH, min(128, int(_LARGE_SHARE * total / 2)))
        return fault(
            check,
            evidence,
            f"Try batches of {advised}: more steps an epoch, and noise that helps.",
        )
    return healthy(check, evidence)
