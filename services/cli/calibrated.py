"""What a person should know of what was learned before a mesh starts."""

from services.calibration.configured import calibration_of, misfits
from services.config.lint import Finding
from services.config.tree import LoadedConfig
from services.routing.configured import routing_of, unknown_models

UNCALIBRATED = "UNCALIBRATED"
UNLEARNED = "UNLEARNED"


def learned_findings(loaded: LoadedConfig) -> list[Finding]:
    """What the configured calibration and the trained router do not fit.

    Raises
    ------
    ConfigError
        If one of them cannot be used.
    """
    return [*calibration_findings(loaded), *routing_findings(loaded)]


def routing_findings(loaded: LoadedConfig) -> list[Finding]:
    """Ensembles of whose models the configured router learned too little.

    Raises
    ------
    ConfigError
        If the router cannot be used.
    """
    routing = routing_of(loaded)
    if routing is None:
        return []
    return [
        Finding(UNLEARNED, f"ensembles.{name}", f"router {routing.id} goes by priors: {why}")
        for name, why in unknown_models(loaded.config, routing)
    ]


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
