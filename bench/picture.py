"""The pictures of the measurements, as SVG files."""

from pathlib import Path

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from tsf.files import whole_file


def save(figure: Figure, path: Path) -> None:
    """The same figure gives the same bytes under the same name."""
    canvas = FigureCanvasSVG(figure)  # which measures the texts for the layout
    figure.tight_layout()
    with matplotlib.rc_context({"svg.hashsalt": path.stem}), whole_file(path) as part:
        canvas.print_svg(str(part), metadata={"Date": None})
