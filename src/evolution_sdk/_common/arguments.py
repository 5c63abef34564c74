"""Arguments of public calls, held against their annotations before anything happens.

Type checkers see what a program passes by itself; they do not see what comes out of a database, a
form or an environment, nor that a ``str`` is a sequence of texts. A wrong value is refused here by
the argument's name, in one place for every method, instead of ending in a ``TypeError`` somewhere.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Sequence
from functools import partial, wraps
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias, TypeVar

from evolution_sdk.errors import ConfigurationError, EvolutionError, RequestValidationError

from .rules import Rule, kind_of, named_rule

__all__ = [
    "checked",
    "checked_call",
    "checked_method",
    "misconfigured",
    "refused",
]

C = TypeVar("C", bound=type[Any])
F = TypeVar("F", bound=Callable[..., Any])

Refuse: TypeAlias = Callable[[str, str], EvolutionError]
"""Makes the error of an argument's name and the rule it breaks."""

Complete: TypeAlias = Callable[[Any, str, str], Any]
"""Makes of the owner of a method, a phone number and the argument's name the number to use."""

_SETTINGS = frozenset({"on_unknown"})


class Rules(NamedTuple):
    """The rules of one function's arguments.

    Attributes:
        by_place: The positional ones in order; None where anything will do.
        by_name: All of them, and the options of a ``TypedDict``.
        rest: Further positional ones.
        phones: Names of those that are phone numbers.
    """

    by_place: list[tuple[str, Rule | None]]
    by_name: dict[str, Rule]
    rest: tuple[str, Rule | None]
    phones: frozenset[str]


def refused(name: str, rule: str) -> EvolutionError:
    """The error of an argument of a call; an option that is a setting, too, is one everywhere."""
    if name in _SETTINGS:
        return misconfigured(name, rule)
    return RequestValidationError(name, rule)


def misconfigured(name: str, rule: str) -> EvolutionError:
    """The error of an argument that sets something up."""
    return ConfigurationError(f"{name}: {rule}.", variable=name)


def checked(
    refuse: Refuse = misconfigured,
    *,
    but: Collection[str] = (),
    complete: Complete | None = None,
) -> Callable[[C], C]:
    """Decorate a class: its constructor and public methods check their arguments.

    Args:
        refuse: Makes the error.
        but: Methods that do not: those that never raise, and the inner ones of every call.
        complete: Completes phone numbers that are given as texts.

    Returns:
        The decorator; it changes the class itself, not what inherits from it.
    """

    def decorate(cls: C) -> C:
        for name, member in list(vars(cls).items()):
            if (name != "__init__" and name.startswith("_")) or name in but:
                continue
            plain: Any = getattr(member, "__func__", member)
            if not inspect.isfunction(plain) or (plain is member and _takes_nothing(plain)):
                continue
            made = checked_method(plain, refuse, complete)
            setattr(cls, name, made if plain is member else type(member)(made))
        return cls

    return decorate


def _takes_nothing(method: Any) -> bool:
    """Tell if a method takes nothing but its object: there is nothing to check then."""
    code = method.__code__
    several = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    return code.co_argcount <= 1 and not code.co_kwonlyargcount and not several


def checked_call(refuse: Refuse = misconfigured) -> Callable[[F], F]:
    """Decorate a function: it checks its arguments first.

    Args:
        refuse: Makes the error.

    Returns:
        The decorator.
    """
    return lambda function: checked_method(function, refuse)


def checked_method(function: F, refuse: Refuse = refused, complete: Complete | None = None) -> F:
    """Let a function, method or coroutine function check its arguments first.

    Args:
        function: The function; its annotations are read with its first call.
        refuse: Makes the error.
        complete: Completes phone numbers that are given as texts; for methods.

    Returns:
        The function as before, for whoever looks at it.
    """
    check = _checker(function, refuse, complete)
    made: Any
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def checked_async(*args: Any, **kwargs: Any) -> Any:
            return await function(*check(args, kwargs), **kwargs)

        made = checked_async
    else:

        @wraps(function)
        def checked_sync(*args: Any, **kwargs: Any) -> Any:
            return function(*check(args, kwargs), **kwargs)

        made = checked_sync
    return typing.cast("F", made)


def _checker(
    function: Callable[..., Any], refuse: Refuse, complete: Complete | None
) -> Callable[[tuple[Any, ...], dict[str, Any]], Sequence[Any]]:
    """Make what checks: it gives the positional arguments back, and completes the named ones."""
    rules: Rules | None = None

    def check(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        nonlocal rules
        if rules is None:
            rules = _rules_of(function)
        by_place = rules.by_place
        placed = (
            zip(by_place, args, strict=False)
            if len(args) <= len(by_place)
            else zip_longest(by_place, args, fillvalue=rules.rest)
        )
        for (name, rule), value in placed:
            if rule is not None:
                _hold(name, rule, value, refuse)
        for name, value in kwargs.items():
            named = rules.by_name.get(name)
            if named is not None:
                _hold(name, named, value, refuse)
        if complete is None or not rules.phones:
            return args
        for name, value in kwargs.items():
            if name in rules.phones:
                kwargs[name] = _completed(partial(complete, args[0]), value, name)
        return [
            _completed(partial(complete, args[0]), value, name) if name in rules.phones else value
            for (name, _), value in zip(rules.by_place, args, strict=False)
        ] + list(args[len(rules.by_place) :])

    return check


def _completed(complete: Callable[[str, str], Any], value: Any, name: str) -> Any:
    if isinstance(value, str):
        return complete(value, name)
    if isinstance(value, list | tuple | set | frozenset):
        several = typing.cast("Collection[Any]", value)
        return [_completed(complete, each, f"{name}[{at}]") for at, each in enumerate(several)]
    return value


def _hold(name: str, rule: Rule, value: object, refuse: Refuse) -> None:
    try:
        problem = rule.test(value)
    except Exception as error:  # noqa: BLE001 - an object that breaks when looked at is none of ours
        raise refuse(name, f"cannot be looked at: {type(error).__name__}") from None
    if problem is None:
        return
    if refuse is misconfigured and problem.unsendable:
        return  # a path may hold such a character, and nothing of it travels
    text = problem.rule or f"must be {rule.wants}, not {kind_of(value)}"
    raise refuse(name + problem.where, text)


def _rules_of(function: Callable[..., Any]) -> Rules:
    rules = Rules([], {}, ("", None), frozenset())
    for name, parameter in inspect.signature(function).parameters.items():
        hint = _resolved(function, parameter.annotation)
        rule = None if hint is Any else named_rule(name, hint)
        if parameter.kind is parameter.VAR_POSITIONAL:
            rules = rules._replace(rest=(name, rule))
        elif parameter.kind is parameter.VAR_KEYWORD:
            options = typing.get_args(hint)
            if options and typing.is_typeddict(options[0]):
                for key, inner in typing.get_type_hints(options[0]).items():
                    rules.by_name[key] = named_rule(key, inner)
        else:
            if parameter.kind is not parameter.KEYWORD_ONLY:
                rules.by_place.append((name, rule))
            if rule is not None:
                rules.by_name[name] = rule
    phones = (name for name, rule in rules.by_name.items() if rule.phone)
    return rules._replace(phones=frozenset(phones))


def _resolved(function: Callable[..., Any], annotation: Any) -> Any:
    """The annotation behind its text; one that only type checkers can resolve is not checked."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, inspect.unwrap(function).__globals__)  # noqa: S307 - our own text
    except (NameError, AttributeError, TypeError):
        return Any
