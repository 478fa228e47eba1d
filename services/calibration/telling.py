"""Says in plain words what a calibration knows, and what changed against another. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.calibration.artefact import Calibration, JudgeFit, PoolFit
from services.calibration.learning import Learned


def told(learned: Learned, before: Calibration | None) -> Iterator[str]:
    """What was learned, what it is worth, and what changed; one line each."""
    new = learned.calibration
    yield f"calibration {new.id}" + (f", in use now is {before.id}" if before else "")
    for name, pool in new.pools.items():
        yield from _pool(name, pool, before.pools.get(name) if before else None)
    for name, judge in new.judges.items():
        yield from _judge(name, judge, before.judges.get(name) if before else None)
    for name, why in learned.refused.items():
        yield f"{name} is uncalibrated: {why}"
    for name in sorted(_known(before) - _known(new)) if before else ():
        yield f"{name} is in the one in use, and had no labels this time"


def _known(calibration: Calibration) -> set[str]:
    return {*calibration.pools, *(f"judge of {name}" for name in calibration.judges)}


def _pool(name: str, pool: PoolFit, before: PoolFit | None) -> Iterator[str]:
    yield f"{name}: {pool.n_labels} labels" + _was(before and before.n_labels)
    if not pool.calibrated:
        return
    found = pool.metrics
    best = f"{found['best_accuracy']:.1%} of the best juror{_where(pool)}"
    yield f"  right on prompts it had not seen: {found['accuracy']:.1%}, {best}{_gain(found)}"
    yield f"  {_gate(pool)}{_was(_gate(before) if before and before.calibrated else None)}"
    yield f"  P(correct) is off by {found['ece']:.1%} on average{_ranks(found)}"
    if "coverage_20" in found:
        yield (
            f"  of {found['coverage_20']:.0%} of the answers at most 20% are wrong, with 90% "
            "certainty"
        )
    weights = dict(zip(pool.jurors, pool.weights, strict=True))
    earlier = dict(zip(before.jurors, before.weights, strict=True)) if before else {}
    for juror in sorted(weights, key=lambda each: (-weights[each], each)):
        yield f"  {juror} counts {weights[juror]:.2f}{_was(_two(earlier.get(juror)))}"
    if pool.declining is not None:
        was = _two(before.declining.score) if before and before.declining else None
        yield f"  an answer that declines counts {pool.declining.score:+.2f}{_was(was)}"
    for juror in sorted(earlier.keys() - weights.keys()):
        yield f"  {juror} is gone{_was(_two(earlier[juror]))}"


def _where(pool: PoolFit) -> str:
    heard = pool.gate.n
    return f" on the {heard} where it was heard" if heard < pool.n_labels else ""


def _gain(found: Mapping[str, float]) -> str:
    if "gain_low" not in found:
        return ""
    gain = 100.0 * found.get("gain", found["accuracy"] - found["best_accuracy"])
    low, high = 100.0 * found["gain_low"], 100.0 * found["gain_high"]
    return f": {gain:+.1f} points ({low:+.1f} to {high:+.1f})"


def _gate(pool: PoolFit) -> str:
    if pool.gate.closed:
        return f"the gate is closed: {pool.gate.best} is trusted alone where it answers"
    return "the gate is open: the vote decides"


def _ranks(found: Mapping[str, float]) -> str:
    return f", and ranks right above wrong in {found['auroc']:.0%} of pairs" * ("auroc" in found)


def _judge(name: str, judge: JudgeFit, before: JudgeFit | None) -> Iterator[str]:
    yield f"judge of {name}: {judge.n_labels} labels" + _was(before and before.n_labels)
    if not judge.calibrated:
        return
    for each in judge.thresholds:
        promise = f"at most {each.alpha:.0%} wrong, with {1 - each.delta:.0%} certainty"
        if each.value is None:
            yield f"  {promise}: no P(ok) keeps that promise"
        else:
            yield f"  {promise}: from P(ok) {each.value:.2f} on, {each.coverage:.0%} of the answers"
    for signal, weight in sorted(judge.coefficients.items()):
        earlier = before.coefficients.get(signal) if before else None
        yield f"  {signal} counts {weight:+.2f}{_was(_two(earlier))}"
    for who, raw in sorted(judge.raw_reliabilities.items()):
        misled = " (it misleads, and is not heard)" * (raw < 0)
        yield f"  judge {who} counts {judge.reliabilities.get(who, 0.0):.2f}{misled}"


def _two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _was(value: object) -> str:
    return "" if value is None else f" (was: {value})"


def report(learned: Learned, before: Calibration | None, *, path: str) -> dict[str, Any]:
    """The same for programs."""
    new = learned.calibration
    return {
        "id": new.id,
        "path": path,
        "in_use": before.id if before else "",
        "data_sha256": new.data_sha256,
        "pools": {
            name: {
                "labels": pool.n_labels,
                "calibrated": pool.calibrated,
                "gate_closed": pool.gate.closed,
                "weights": dict(zip(pool.jurors, pool.weights, strict=True)),
                "metrics": dict(pool.metrics),
            }
            for name, pool in new.pools.items()
        },
        "judges": {
            name: {
                "labels": judge.n_labels,
                "calibrated": judge.calibrated,
                "thresholds": [
                    {"alpha": t.alpha, "delta": t.delta, "value": t.value, "coverage": t.coverage}
                    for t in judge.thresholds
                ],
            }
            for name, judge in new.judges.items()
        },
        "uncalibrated": dict(learned.refused),
        "changes": list(told(learned, before)),
    }
