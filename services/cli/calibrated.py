"""What a person should know of the calibration before a mesh starts."""

from services.calibration.configured import calibration_of, misfits
from services.config.lint import Finding
from services.config.tree import LoadedConfig

UNCALIBRATED = "UNCALIBRATED"


def calibration_findings(loaded: LoadedConfig) -> list[Finding]:
    """Pools and judges that the configured calibration does not fit.

    Raises
    ------
    ConfigError
        If the calibration cannot be used.
    """
    calibration = calibration_of(loaded)
    if calibration is None:
        return []
    found = misfits(loaded.config, calibration)
    return [
        Finding(UNCALIBRATED, "calibration", f"{what} is uncalibrated: {why}")
        for what, why in found
    ]
