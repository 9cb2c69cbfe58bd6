"""What a trained network looks at: feature maps, Grad-CAM, occlusion and mistakes.

Heat maps come in the positions of a layer; `on_image` puts them where those positions
look. Nothing here changes the model, and nothing draws: figures are in `helpers.plots`.
"""

from .cam import HeatMaps, grad_cam
from .covering import Occlusion, occlusion
from .maps import feature_maps
from .mistakes import confusion_matrix, worst_mistakes
from .placing import agreement, on_image

__all__ = [
    "HeatMaps",
    "Occlusion",
    "agreement",
    "confusion_matrix",
    "feature_maps",
    "grad_cam",
    "occlusion",
    "on_image",
    "worst_mistakes",
]
