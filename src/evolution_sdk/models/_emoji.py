"""Recognise a text that is exactly one emoji, which is what the server demands of a reaction.

Below the emoji planes Unicode mixes emoji with arrows, letters and mathematics, so those emoji are
listed one by one. In the planes every character passes: Python's tables may be older than a phone,
and the server has the last word.
"""

from __future__ import annotations

_JOINER = "\u200d"
_VARIATION = "\ufe0f"
_KEYCAP = "\u20e3"
_SKIN = range(0x1F3FB, 0x1F400)
_FLAG = range(0x1F1E6, 0x1F200)
_TAG = range(0xE0020, 0xE0080)
_PLANES = range(0x1F000, 0x1FB00)
_LISTED = frozenset(
    "©®‼⁉™\u2139↔↕↖↗↘↙↩↪⌚⌛⌨⏏⏩⏪⏫⏬⏭⏮⏯⏰⏱⏲⏳⏸⏹⏺Ⓜ▪▫▶◀◻◼◽◾"
    "☀☁☂☃☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸☹☺♀♂♈♉♊♋♌♍♎♏♐♑♒♓♟♠♣♥♦♨♻♾♿"
    "⚒⚓⚔⚕⚖⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔⛩⛪⛰⛱⛲⛳⛴⛵⛷⛸⛹⛺⛽"
    "✂✅✈✉✊✋✌✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓❔❕❗❣❤\u2795\u2796➗➡➰➿"
    "⤴⤵⬅⬆⬇⬛⬜⭐⭕〰〽㊗㊙"
)


def is_single_emoji(text: str) -> bool:
    """Tell whether the text is exactly one emoji.

    Args:
        text: Any text.

    Returns:
        True for one emoji, with its skin tone, variation, joined parts, flag or keycap.
    """
    # The selector only asks for the coloured form, and phones add it or leave it out.
    units = [c for c in text if c != _VARIATION]
    if not units:
        return False
    if len(units) == 2 and units[1] == _KEYCAP:
        return units[0] in "0123456789#*"
    # A flag is a pair of letters, so a single letter is no emoji.
    if any(ord(c) in _FLAG for c in units):
        return len(units) == 2 and all(ord(c) in _FLAG for c in units)
    return all(_is_part(part) for part in "".join(units).split(_JOINER))


def _is_part(part: str) -> bool:
    """Tell whether this is one emoji between joiners: a base, then skin tones or flag tags."""
    if not part:
        return False
    base = part[0] in _LISTED or ord(part[0]) in _PLANES
    return base and all(ord(c) in _SKIN or ord(c) in _TAG for c in part[1:])
