"""Manifests for the tests of a report."""

from gremium.v1 import manifest_pb2, router_pb2

STATUS = {
    "answered": manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
    "unusable": manifest_pb2.PARTICIPATION_STATUS_UNUSABLE,
    "failed": manifest_pb2.PARTICIPATION_STATUS_FAILED,
    "late": manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT,
    "cancelled": manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
}


def juror(name, *, status="answered", usd=0.01, tier="jury", family=""):
    return manifest_pb2.Participation(
        stage=manifest_pb2.STAGE_JURY,
        name=name,
        model=name,
        family=family or name,
        status=STATUS[status],
        cost_usd=usd,
        tier=tier,
    )


def judge(model, family):
    return manifest_pb2.Participation(
        stage=manifest_pb2.STAGE_JUDGE, name=model, model=model, family=family
    )


def tally(tier="jury", *, consensus=True, prose=False, **said):
    """Ballots by juror; the most frequent leads."""
    keys = list(said.values())
    found = manifest_pb2.Tally(
        tier=tier,
        leader=max(keys, key=keys.count) if keys else "",
        consensus=consensus,
        method="plurality",
        divergence=0.25,
        ballots=[manifest_pb2.Ballot(juror=name, key=key) for name, key in said.items()],
        classes=[
            manifest_pb2.TallyClass(
                key=key, value=f'"{key}"', jurors=[j for j in said if said[j] == key]
            )
            for key in dict.fromkeys(keys)
        ],
    )
    if prose:
        found.similarity = 0.8
    return found


def verdict(by, of, *, kind="PASS", tier="jury", why=""):
    return manifest_pb2.Verdict(
        kind=manifest_pb2.VerdictKind.Value(f"VERDICT_KIND_{kind}"),
        judge=by,
        juror=of,
        tier=tier,
        unjudged_reason=why,
    )


def manifest(*parts, ensemble="everyday", pattern="jury", chosen=("a", "jury"), **changed):
    """A request that was answered; parts go where they belong."""
    juror_name, tier = chosen
    made = manifest_pb2.Manifest(
        request_id="r-1",
        ensemble=ensemble,
        pattern=pattern,
        state=manifest_pb2.MANIFEST_STATE_COMPLETED,
        outcome=manifest_pb2.OUTCOME_ANSWERED,
        chosen_juror=juror_name,
        chosen_tier=tier,
        **changed,
    )
    made.start_time.FromSeconds(1_000)
    made.duration.FromMilliseconds(1_500)
    for part in parts:
        field = PLACES[type(part)]
        if field == "route":
            made.route.CopyFrom(part)
        else:
            getattr(made, field).append(part)
    made.cost_usd = sum(part.cost_usd for part in made.participations)
    return made


PLACES = {
    manifest_pb2.Participation: "participations",
    manifest_pb2.Tally: "tallies",
    manifest_pb2.Verdict: "verdicts",
    manifest_pb2.Feedback: "feedback",
    manifest_pb2.Escalation: "escalations",
    router_pb2.RouteDecision: "route",
}
