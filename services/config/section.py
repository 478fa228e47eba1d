"""What every part of the configuration is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Grace = Annotated[float, Field(ge=0.0, le=3600.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
UsdPerMtok = Annotated[float, Field(ge=0.0, le=1e6)]


class Section(BaseModel):
    """A part of the tree. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
