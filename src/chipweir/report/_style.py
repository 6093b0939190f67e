"""How every figure looks: palette, dashes, markers, fonts, light and dark.

Colours are those of Okabe and Ito (2008), told apart with every common colour-vision deficiency; each colour also has
its own dash and marker, so that nothing hangs on colour alone.
"""

from typing import Any, Literal


Theme = Literal["light", "dark"]

FONTS = (
    '"Pretendard", "Inter", "Noto Sans KR", "Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", '
    '"Nanum Gothic", system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
)

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8C8C8C",
)
YELLOW, RUST = "#F0E442", "#8B3A00"
# Those of Tol (2021) that stand beside them.
INDIGO, WINE, TEAL = "#5B4FC4", "#882255", "#44AA99"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY, INDIGO, WINE, RUST, TEAL)
DASHES = (
    "solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px 1px 2px", "12px 3px", "2px 6px",
    "9px 2px 2px 2px 2px 2px", "16px 4px 4px 4px",
)  # fmt: skip
SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down", "hexagon", "pentagon", "bowtie",
)  # fmt: skip
GLYPHS = ("●", "■", "◆", "▲", "✚", "✖", "★", "▼", "⬢", "⬟", "⧓")
# Plotly has eight, so those after them come with another width: see `pattern`.
PATTERNS = ("", "/", ".", "\\", "x", "-", "|", "+")
SEQUENTIAL = "Cividis"
# What every chart is told, on the page and in the report. Without the last two, plotly.js offers a button that sends the
# chart's numbers to its maker's server; an empty address leaves it nowhere to send to, whatever it calls the button next.
GRAPH_CONFIG: Any = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    "toImageButtonOptions": {"format": "svg", "filename": "chipweir"},
    "showSendToCloud": False,
    "plotlyServerURL": "",
}

_INK = {"light": "#1f2430", "dark": "#e8eaf0"}
_MUTED = {"light": "#5b6372", "dark": "#a9b0be"}
_GRID = {"light": "#e3e6ec", "dark": "#343a46"}
_PAPER = {"light": "#ffffff", "dark": "#181b22"}

COLOURS = (_INK, _MUTED, _GRID, _PAPER)
THEMES: tuple[Theme, ...] = ("light", "dark")


def ink(theme: Theme) -> str:
    """The colour of text."""
    return _INK[theme]


def muted(theme: Theme) -> str:
    """The colour of notes."""
    return _MUTED[theme]


def rgba(colour: str, alpha: float) -> str:
    """`#rrggbb` with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def look(index: int) -> dict[str, str]:
    """Colour, dash and marker of the `index`-th line."""
    return {
        "colour": PALETTE[index % len(PALETTE)],
        "dash": DASHES[index % len(DASHES)],
        "symbol": SYMBOLS[index % len(SYMBOLS)],
        "glyph": GLYPHS[index % len(GLYPHS)],
    }


def pattern(index: int) -> dict[str, Any]:
    """The hatching of the `index`-th area: another shape, or the same one wider."""
    again = index // len(PATTERNS)
    return {"shape": PATTERNS[(index + again) % len(PATTERNS)], "size": 7 + 6 * again}


def template(theme: Theme) -> dict[str, Any]:
    """The Plotly template of a theme."""
    axis = {
        "gridcolor": _GRID[theme],
        "linecolor": _MUTED[theme],
        "zerolinecolor": _GRID[theme],
        "tickcolor": _MUTED[theme],
        "tickfont": {"size": 12, "color": _MUTED[theme]},
        "title": {"font": {"size": 12, "color": _MUTED[theme]}},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"family": FONTS, "size": 13, "color": _INK[theme]},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 12, "t": 12},
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "font": {"size": 16, "color": _INK[theme]},
                "subtitle": {"font": {"size": 12, "color": _MUTED[theme]}},
            },
            "paper_bgcolor": _PAPER[theme],
            "plot_bgcolor": _PAPER[theme],
            "colorway": list(PALETTE),
            "hovermode": "x unified",
            "hoverlabel": {
                "bgcolor": _PAPER[theme],
                "bordercolor": _GRID[theme],
                "font": {"family": FONTS, "color": _INK[theme], "size": 12},
            },
            "xaxis": axis | {"showgrid": False, "ticks": "outside"},
            "yaxis": axis | {"ticks": ""},
            "legend": {"font": {"size": 12}, "bgcolor": "rgba(0,0,0,0)"},
            "margin": {"l": 56, "r": 16, "t": 64, "b": 56},
            "annotationdefaults": {"font": {"color": _INK[theme], "size": 12}},
            "separators": ".,",
        }
    }
