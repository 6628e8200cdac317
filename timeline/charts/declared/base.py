"""What every declared chart shares: frozen, unknown keys refused, and the words for colours and symbols."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Shape = Literal["circle", "square", "diamond", "triangle", "x", "star", "asterisk", "arrow", "tick"]
Colour = Literal["ink", "blue", "orange", "green", "purple", "red", "sky", "yellow"]


class Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
