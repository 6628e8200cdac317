"""A clinical event-timeline engine: `Study` for notebooks; imports nothing until it is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.study import Study

__all__ = ["Study", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "Study":
        from timeline.study import Study

        return Study
    raise AttributeError(f"module 'timeline' has no attribute {name!r}")
