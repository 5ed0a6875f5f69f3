"""Every pair of colours of the answer page can be told apart, in light and in dark (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aftercare.web

STYLE = (Path(aftercare.web.__file__).parent / "static" / "survey.css").read_text()
INVITATION = (Path(aftercare.web.__file__).parents[1] / "asking" / "templates" / "invitation.html").read_text()
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in STYLE.split("@media")[:2])

TEXT = [
    ("ink", "sheet"),
    ("ink", "chosen"),
    ("ink", "wrong-ground"),
    ("quiet", "sheet"),
    ("wrong", "sheet"),
    ("on-accent", "accent"),
]
PARTS = [("line", "sheet"), ("accent", "sheet"), ("accent", "chosen"), ("wrong", "sheet"), ("wrong", "wrong-ground")]


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, as WCAG has it."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_it_is_defined() -> None:
    """Black on white is 21, and the known grey is at the border."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(colours: dict[str, str], ink: str, ground: str) -> None:
    """4.5 to 1."""
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("part", "ground"), PARTS)
def test_parts_can_be_seen(colours: dict[str, str], part: str, ground: str) -> None:
    """Borders, marks and the ring around what has the focus: 3 to 1."""
    assert contrast(colours[part], colours[ground]) >= 3


def test_no_colour_is_left_out() -> None:
    """What the page uses is declared in both, and nowhere else is a colour."""
    assert set(LIGHT) == set(DARK) >= set(re.findall(r"var\(--([\w-]+)\)", STYLE))
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", STYLE)) == {*LIGHT.values(), *DARK.values()}


def test_the_button_in_the_mail_can_be_read() -> None:
    """It brings its own colours."""
    found = re.search(r"background:(#\w{6}); color:(#\w{6})", INVITATION)
    assert found
    assert contrast(found[1], found[2]) >= 4.5
