"""A pairing code in large letters."""

from __future__ import annotations

from typing import Final

__all__ = ["big_letters"]

_ROWS: Final = 5
# Five rows of three dots, the left one counting 4.
_FONT: Final = {
    "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647", "F": "74644",
    "G": "34553", "H": "55755", "I": "72227", "J": "11152", "K": "55655", "L": "44447",
    "M": "57755", "N": "65555", "O": "75557", "P": "65644", "Q": "25563", "R": "65655",
    "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775", "X": "55255",
    "Y": "55222", "Z": "71247", "0": "25552", "1": "26227", "2": "61247", "3": "61216",
    "4": "55711", "5": "74616", "6": "34757", "7": "71222", "8": "75757", "9": "75716",
    "-": "00700",
}  # fmt: skip
_NOTHING: Final = "00000"


def big_letters(text: str) -> list[str]:
    """Draw a short text, eight columns and five lines a letter.

    Args:
        text: Letters, digits and hyphens; others leave a gap.

    Returns:
        The lines.
    """
    glyphs = [_FONT.get(letter, _NOTHING) for letter in text.upper()]
    return ["  ".join(_dots(int(glyph[row])) for glyph in glyphs).rstrip() for row in range(_ROWS)]


def _dots(bits: int) -> str:
    return "".join("██" if bits & bit else "  " for bit in (4, 2, 1))
