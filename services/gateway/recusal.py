"""Who may judge what a jury answered. No I/O."""

from services.config.tree import Ensemble, Judge


def judges_of(judge: Judge, ensemble: Ensemble, tier: str) -> list[str]:
    """Judge models that are not in a tier's jury, in order of preference.

    By their names in the roster: a juror may be called otherwise, and it is in
    the jury though it gave no answer.
    """
    jury = {juror.model for each in ensemble.tiers if each.name == tier for juror in each.jurors}
    return [name for name in judge.models if name not in jury]
