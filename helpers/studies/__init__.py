"""Controlled comparisons: one small network, one change at a time, equal epochs.

    python -m helpers.studies augmentation

trains the variants of a study that have no finished run yet. A variant's run lies
in `logs/studies/STUDY/VARIANT_seed0`, of the same form as every other run.
"""

from helpers.studies.base import Study, Variant
from helpers.studies.results import folder, folders, missing, study, table
from helpers.studies.sheets import STUDIES

__all__ = [
    "STUDIES",
    "Study",
    "Variant",
    "folder",
    "folders",
    "missing",
    "study",
    "table",
]
