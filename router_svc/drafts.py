"""Makes graphs of steps out of what rules cut. Pure."""

from collections.abc import Sequence
from typing import Final

from router_svc.cutting import Cut
from router_svc.plan import Graph, StepProfile
from router_svc.staff import Staff

ONLY_THIS: Final = "{prompt}\n\nOf all this do only the following part, and nothing else: "
ON_WITH_IT: Final = (
    "{prompt}\n\nOf all this only the last part is left to do, with what was given before: "
)


def from_cut(cut: Cut, roles: Sequence[str], staff: Staff) -> Graph:
    """A step for each part, done by the role of the same place.

    Each sees the whole question, so that nothing is lost that another part says.
    """
    ids = [f"part{nth}" for nth in range(1, len(cut.parts) + 1)]
    steps = tuple(
        StepProfile(
            id=ids[nth],
            goal=(ON_WITH_IT if cut.in_a_row and nth else ONLY_THIS) + part.text,
            doer=staff.roles[role],
            reads=(ids[nth - 1],) if cut.in_a_row and nth else (),
            role=role,
            task=part.task,
        )
        for nth, (part, role) in enumerate(zip(cut.parts, roles, strict=True))
    )
    return joined(steps, staff, prose=True)


def joined(steps: tuple[StepProfile, ...], staff: Staff, *, prose: bool) -> Graph:
    """Steps with the merge of their outputs: nobody's of one, a template's where all have a shape.

    `prose` says that the answer may be what a template makes.
    """
    read = {one for step in steps for one in step.reads}
    final = tuple(step.id for step in steps if step.id not in read)
    shaped = all(step.output_format is not None for step in steps if step.id in final)
    merges = len(final) != 1 and not (shaped and prose)
    return Graph(steps, final, int(merges), staff.merge if merges else None, gated=True)
