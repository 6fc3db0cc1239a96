"""Types and shapes of `trivium`, checked at every call: what jaxtyping's import hook puts on functions and dataclasses.

It checks what jaxtyping's own decorator does, the arguments and what is returned under one binding of "B T D", and
leaves out what that does beside it: binding every call to its signature for the message, and each argument again with
the result. In functions that do little themselves this was most of their time.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import jaxtyping
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError, install_import_hook, jaxtyped


def install(package: str) -> None:
    """Check what is imported from `package` from now on."""
    install_import_hook(package, "beartype.beartype")
    jaxtyping.jaxtyped = lambda *, typechecker: checked  # the hook writes this name over each function and class


def checked(thing: Any) -> Any:
    """A function that checks what it is given and gives, or a dataclass that checks what it is made of."""
    if inspect.isclass(thing):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__)
        return thing
    return _with_own_axes(thing)


def _with_own_axes(function: Callable) -> Callable:
    """Each call says anew how long the axes are that its annotations name."""
    written = function.__annotations__
    function.__annotations__ = {name: _resolved(hint, function.__globals__) for name, hint in written.items()}
    within = beartype(function)
    function.__annotations__ = written

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        with jaxtyped("context"):
            try:
                return within(*arguments, **named)
            except BeartypeCallHintViolation as error:
                raise TypeCheckError(str(error)) from error  # a TypeError, as Python's own for wrong arguments

    return call


def _resolved(hint: Any, names: dict[str, Any]) -> Any:
    """What a quoted hint names; anything, where the name is only there for the type checker or comes later."""

    def holder() -> None: ...

    holder.__annotations__ = {"hint": hint}
    try:
        return get_type_hints(holder, names, include_extras=True)["hint"]
    except NameError:
        return Any
