"""Test accuracies on CIFAR-10 that others report for the course's architectures.

They were measured on the original images, mostly after more epochs, often in the epoch
that was best on the test images, and sometimes of a network of another size under the
same name. So they stand beside results of the course, never in one ranking with them.
"""

from dataclasses import dataclass

_UNNAMED = "public programs"


@dataclass(frozen=True)
class Published:
    """What others report for one architecture.

    Attributes:
        percent: test accuracy as reported, such as `91.25` or `91.2 to 91.6`.
        source: who reports it: a paper or a public program, `public programs` where
            the course names none.
        note: what else a table should say of it.
    """

    percent: str
    source: str
    note: str = ""

    def __str__(self) -> str:
        """The accuracy with its note, for tables."""
        return f"{self.percent} ({self.note})" if self.note else self.percent

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest accuracy, in percent."""
        low, _, high = self.percent.partition(" to ")
        return float(low), float(high or low)


PUBLISHED = {
    "base": Published(
        "82.48", "public solutions of the sheet", "mean of 44 public runs"
    ),
    "separable": Published(
        "88.27",
        "public solutions of the sheet",
        "best public network under the sheet's rules",
    ),
    "lenet5": Published("76.2", "W. Li, cifar-10-cnn", "200 epochs"),
    "alexnet": Published("75.6 to 78.4", _UNNAMED),
    "nin": Published("91.2 to 91.6", "Lin et al., 2013; W. Li, cifar-10-cnn"),
    "vgg16": Published("92.3 to 93.5", "jerett, Keras-CIFAR10; W. Li, cifar-10-cnn"),
    "vgg19": Published("92.3 to 93.5", "jerett, Keras-CIFAR10; W. Li, cifar-10-cnn"),
    "googlenet": Published("93.08", "jerett, Keras-CIFAR10"),
    "inception_v2": Published("93.4", _UNNAMED),
    "inception_v3": Published("94.2", _UNNAMED),
    "resnet20": Published("91.25", "He et al., 2015"),
    "resnet32": Published("92.49", "He et al., 2015"),
    "resnet56": Published("93.03", "He et al., 2015"),
    "resnet110": Published("93.57", "He et al., 2015"),
    "resnet164_v2": Published("94.54", "He et al., 2016"),
    "wide_resnet28_10": Published(
        "96.00", "Zagoruyko and Komodakis, 2016", "200 epochs"
    ),
    "resnext29": Published("96.35", "Xie et al., 2016", "300 epochs, mean of ten runs"),
    "se_resnet20": Published("92.15", "Jyouhou, SENet-cifar10"),
    "densenet40": Published("94.76", "Huang et al., 2016", "300 epochs"),
    "densenet_bc100": Published("95.5", "Huang et al., 2016", "300 epochs"),
    "xception": Published("94.6", _UNNAMED),
    "shufflenet_v2": Published(
        "92.98", "Y. Chen, pytorch-cifar-models", "best of 200 epochs"
    ),
    "shufflenet_v2_half": Published(
        "90.13", "Y. Chen, pytorch-cifar-models", "best of 200 epochs"
    ),
    "mobilenet_v2": Published("94.4", "K. Liu, pytorch-cifar"),
    "speedrun": Published("94.01", "Jordan, 2024", "six views, 9.9 epochs"),
}
