"""Draws what a router is worth as a PNG. Needs matplotlib, the extra `charts`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from services.routing.measuring import Frontier, Measured, Pair

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS: Final = {"router": "#c44e52", "oracle": "#55a868", "random": "#bbbbbb"}
OTHERS: Final = ("#4c72b0", "#8172b2", "#937860", "#8c8c8c")


def draw(found: Measured, path: Path, *, title: str) -> None:
    """Write the curves that were measured.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If nothing was measured that could be drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    parts: list[Any] = [part for part in (found.pair, found.frontier) if part is not None]
    if not parts:
        raise ValueError("there is no curve to draw: " + "; ".join(found.notes))
    figure = Figure(figsize=(7.5 * len(parts), 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for axes, part in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        if isinstance(part, Pair):
            _pair(axes, part)
        else:
            _frontier(axes, part)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120, format="png")


def _pair(axes: "Axes", pair: Pair) -> None:
    others = iter(OTHERS)
    for name, each in pair.curves.items():
        color = COLORS.get(name) or next(others, "#444444")
        width = 2.4 if name == "router" else 1.2
        told = f"{name}, APGR {each.apgr:.3f}"
        axes.plot(100 * each.shares, 100 * each.accuracies, color=color, lw=width, label=told)
    axes.set(
        xlabel=f"calls to {pair.strong}, %",
        ylabel="quality, %",
        title=f"{pair.weak} or {pair.strong}, {pair.n} prompts",
    )


def _frontier(axes: "Axes", found: Frontier) -> None:
    axes.plot(
        1000 * found.costs_usd,
        100 * found.qualities,
        color=COLORS["router"],
        marker=".",
        label="router, as money weighs less",
    )
    axes.scatter(
        [1000 * found.best_cost_usd],
        [100 * found.best_quality],
        color=OTHERS[0],
        zorder=3,
        label=f"{found.best} alone",
    )
    axes.set(
        xlabel="USD per 1,000 prompts", ylabel="quality, %", title=f"All models, {found.n} prompts"
    )
