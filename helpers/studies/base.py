"""What a study is: a question, what its runs share, and one change a variant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from helpers.architectures.small import small
from helpers.recipes import Recipe


@dataclass(frozen=True)
class Variant:
    """One run of a study: what it changes.

    Attributes:
        what: The change in a phrase, for tables and legends.
        recipe: Fields of the study's `Recipe` that differ.
        network: Arguments of the study's builder that differ from its defaults.
        epochs: Epochs of the run; `None` for the study's.
        architecture: Name of the architecture whose own run, `logs/NAME_seed0`, is
            this variant: nothing is changed and it is not made twice.
    """

    what: str
    recipe: Mapping = field(default_factory=dict)
    network: Mapping = field(default_factory=dict)
    epochs: int | None = None
    architecture: str | None = None


@dataclass(frozen=True)
class Study:
    """A question, what its runs share, and its variants by name.

    Attributes:
        question: What the runs are compared for.
        recipe: The `Recipe` that a variant's changes start from; its `epochs` are
            those of every variant that names none.
        variants: The variants by name.
        builder: Function that returns an uncompiled `keras.Model`.
        images: Training images, the same number of every class; `None` for all
            45,000.
        precision: "float32" or "mixed_bfloat16", which trains dense convolutions
            faster.
    """

    question: str
    recipe: Recipe
    variants: Mapping[str, Variant]
    builder: Callable = small
    images: int | None = 9_000
    precision: str = "float32"
