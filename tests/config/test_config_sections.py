"""Sections of which nothing was set are made without a check, so their defaults must be right."""

from __future__ import annotations

import pickle

import pytest

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._base import Section, untouched
from evolution_sdk.errors import ConfigurationError


def sections_of(section: type[Section]) -> dict[str, type[Section]]:
    return {
        name: info.annotation
        for name, info in section.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section)
    }


SECTIONS = sections_of(EvolutionConfig)
GROUPS = sections_of(SECTIONS["monitoring"])


def test_all_sections_are_looked_at() -> None:
    assert len(SECTIONS) == 16


@pytest.mark.parametrize("name", [*SECTIONS, *GROUPS])
def test_the_unchecked_default_is_the_checked_one(name: str) -> None:
    section = {**SECTIONS, **GROUPS}[name]
    checked, unchecked = section(), untouched(section)
    assert unchecked == checked
    assert unchecked.given() == checked.given() == {}
    assert repr(unchecked) == repr(checked)
    assert unchecked.model_dump() == checked.model_dump()
    assert pickle.loads(pickle.dumps(unchecked)) == checked


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_given_as_an_object_or_a_mapping(name: str) -> None:
    section = SECTIONS[name]
    assert getattr(EvolutionConfig("http://s", "k", **{name: {}}), name) == section()
    assert getattr(EvolutionConfig("http://s", "k", **{name: section()}), name) == section()
    with pytest.raises(ConfigurationError, match=f"{name} is not valid"):
        EvolutionConfig("http://s", "k", **{name: "yes"})
