"""What every declared chart shares: frozen, unknown keys refused, and the words for colours and symbols."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Shape = Literal["circle", "square", "diamond", "triangle", "x", "star", "asterisk", "arrow", "tick"]
Colour = Literal["ink", "blue", "orange", "green", "purple", "red", "sky", "yellow", "gray"]


class Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def numbers(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        return ()


class Column(Declared):
    """A column of the result, and what the picture calls it."""

    column: str
    title: str


class Category(Declared):
    """How one value of a column is drawn; `pale` is the same colour in a lighter fill with its outline."""

    title: str
    colour: Colour = "ink"
    pale: bool = False
