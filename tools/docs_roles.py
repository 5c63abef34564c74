"""Show the Sphinx roles of docstrings as plain code in the reference: an extension of griffe."""

from __future__ import annotations

import re
from typing import Any, Final

import griffe

_ROLE: Final = re.compile(r":(?:py:)?(?:meth|class|mod|func|attr|exc|data|obj):`~?([^`]+)`")


class Roles(griffe.Extension):
    """Rewrites the docstring of each object when it was read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Take the roles out of one docstring.

        Args:
            obj: What was read.
        """
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(r"`\1`", obj.docstring.value)
