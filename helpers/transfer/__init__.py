"""Transfer: a network trained on eight classes is moved to two that it never saw.

    python -m helpers.transfer

trains the source network, then what is missing of the comparison: first trials of
learning rates, then four ways to use the source or not, with three numbers of images
and several draws of them.
"""

from helpers.transfer import rates
from helpers.transfer.classes import NEW, draw, only, others
from helpers.transfer.grid import folder, missing, rows, study, table
from helpers.transfer.methods import METHODS, feature_network, thaw, with_head
from helpers.transfer.source import SOURCE

__all__ = [
    "METHODS",
    "NEW",
    "SOURCE",
    "draw",
    "feature_network",
    "folder",
    "missing",
    "only",
    "others",
    "rates",
    "rows",
    "study",
    "table",
    "thaw",
    "with_head",
]
