"""Figures of ResNeXt: errors by cardinality."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from helpers.plots.vgg import errors_by_depth


def errors_by_cardinality(
    series: Mapping[str, Mapping[tuple[int, int], float]], width: float = 8.0
) -> Figure:
    """Draws errors of networks over the number of paths of their blocks.

    Args:
        series: by the legend's label, errors in percent by (cardinality, width of a
            path).
        width: width of the figure, in inches.

    Returns:
        The figure, a line each, the cardinality on a logarithmic axis; a tick names
        its paths and their width, "32 x 4".

    Raises:
        ValueError: where a cardinality has paths of two widths.
    """
    names = {}
    for errors in series.values():
        for paths, channels in errors:
            if names.setdefault(paths, channels) != channels:
                raise ValueError(
                    f"Cardinality {paths} has paths of {names[paths]} and of "
                    f"{channels} channels: give each cardinality one width."
                )
    figure = errors_by_depth(
        {
            label: {paths: error for (paths, _), error in errors.items()}
            for label, errors in series.items()
        },
        width,
    )
    axis = figure.axes[0]
    axis.set_xscale("log", base=2)
    axis.set_xticks(
        sorted(names), [f"{paths} x {names[paths]}" for paths in sorted(names)]
    )
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("paths x channels of a path")
    axis.set_ylabel("top-1 error (%)")
    return figure
