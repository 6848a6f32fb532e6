"""Parts of a page, as tests find and read them, and rows made to differ."""

import re

import vl_convert
from report_log import wilson

from display.charts import theme
from display.formats import NO_BREAK
from display.parts import Cards, Figure, Note, Table
from report import page


def plain(text):
    return " ".join(text.replace(NO_BREAK, " ").split())


def figure(section, name):
    """Find a figure of a section; None if it is left out."""
    return next(
        (
            part
            for part in section.parts
            if isinstance(part, Figure) and part.name == name
        ),
        None,
    )


def texts(section):
    """Collect all that a section says outside its tables."""
    said = [section.title, section.lead]
    for part in section.parts:
        match part:
            case Figure(title=title, caption=caption):
                said += [title, caption]
            case Table(title=title, note=note):
                said += [title, note]
            case Note(text=text):
                said.append(text)
            case Cards(cards=cards):
                said += [card.note for card in cards]
    return plain(" ".join(said))


def drawn(part, key):
    """Return the rows of a chart that have a key."""
    return next(
        rows
        for rows in part.spec["datasets"].values()
        if rows and key in rows[0]
    )


def cell(value):
    return plain(value if isinstance(value, str) else value.text)


def drawing(part, width):
    """Draw a chart as the browser would, with every mark where it has one."""
    spec = {**part.spec, "config": theme.CONFIG, "width": width}
    svg = vl_convert.vegalite_to_svg(spec, format_locale=page.LOCALE)
    assert not re.search("NaN|undefined|null|Infinity", svg), part.name
    return svg


def keeps_its_place(part, width):
    """Whether a chart is as high as its place, so that links land right."""
    height = float(re.search(r'height="([\d.]+)"', drawing(part, width))[1])
    return abs(height - page.reserved_height(part.spec)) < 60


def titled(section, name):
    return plain(figure(section, name).title)


def table(section, words=""):
    """Find the first table of a section whose caption has the words."""
    return next(
        part
        for part in section.parts
        if isinstance(part, Table) and words in part.caption
    )


def put(row, successes, trials, names=("rate", "ci_low", "ci_high")):
    """Give a row a rate with its interval."""
    row.update(zip(names, wilson(successes, trials), strict=True))


def lose(row, *names):
    """Make columns of a row unknown."""
    row.update(dict.fromkeys(names))
