"""Writes the tables of docs/quest.md again from docs/quest/results, and draws its figures.

What stands between `<!-- table: NAME -->` and `<!-- end -->` is replaced; the text around it is written by hand.

Run: python docs/quest/report.py
"""

import re

import figures
import outcome
import tables

PAGE = outcome.FOLDER.parent / "quest.md"
PLACE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The page with its tables as the results have them."""
    return PLACE.sub(lambda found: f"{found[1]}\n{tables.TABLES[found[2]]()}\n\n{found[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
    figures.draw()
