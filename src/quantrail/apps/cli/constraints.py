"""`constraints list | show`: what was learnt, from which failures, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from quantrail.apps.cli.output import HomeOption, JsonOption, LimitOption, emit_json, out, table
from quantrail.apps.cli.session import session

if TYPE_CHECKING:
    from quantrail.domain.records import Constraint
    from quantrail.services.constraint_view import ConstraintHistory

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_constraints(
    everything: Annotated[bool, typer.Option("--all", help="Retired and inactive ones too.")] = False,
    limit: LimitOption = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Constraints in force, with the evidence behind each and how much it has blocked.

    Example: `quantrail constraints list`
    """
    from quantrail.services.constraint_view import all_histories, describe_params

    with session(home) as services:
        held = services.store.list_constraints(active_only=not everything)[:limit]
        did = all_histories(services.store)
    if as_json:
        rows = [
            {
                "constraint": h.constraint,
                "constraint_set_id": h.constraint_set_id,
                "did": did.get(h.constraint.constraint_id),
            }
            for h in held
        ]
        emit_json({"rows": rows})
        return
    shown = [
        [
            h.constraint.constraint_id[:8],
            f"{h.constraint.type} {describe_params(h.constraint.params)}",
            h.constraint.status.value,
            h.constraint.derived_from_type.value,
            *_counts(did.get(h.constraint.constraint_id)),
        ]
        for h in held
    ]
    columns = ["id", "constraint", "status", "from", "blocked", "explored", "rewrote"]
    out().print(table(None, columns, shown, wrap=("constraint",)) if shown else "no constraints stored yet")


def _counts(history: ConstraintHistory | None) -> list[str]:
    if history is None:
        return ["0", "0", "0"]
    return [str(history.blocked), str(history.explored), str(history.rewrote)]


@app.command("show")
def show(
    constraint: Annotated[str, typer.Argument(metavar="ID", help="A constraint's id or a unique prefix.")],
    limit: LimitOption = 10,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """One constraint: the failures it came from, and the candidates it blocked.

    Example: `quantrail constraints show 51ab`
    """
    from quantrail.domain.answers import IdKind
    from quantrail.domain.ids import ConstraintId
    from quantrail.services.constraint_view import describe_params

    with session(home) as services:
        store = services.store
        key = cast(ConstraintId, store.resolve(constraint, IdKind.CONSTRAINT)[1])
        held = next(c for c in store.list_constraints(active_only=False) if c.constraint.constraint_id == key)
        causes = store.provenance_of(key)
        blocked = store.blocked_trials(key, limit + 1)
    if as_json:
        emit_json({"constraint": held, "provenance": causes, "blocked": blocked[:limit]})
        return
    console, made = out(), held.constraint
    console.print(f"[bold]{made.type}[/bold] {describe_params(made.params)}  {made.status}")
    console.print(
        "  ".join(f"{k} {v:.4g}" for k, v in made.statistics.items() if isinstance(v, (int, float)))
    )
    rows = [[c.failure_id[:8], c.mapping_rule, str(c.created_at_iteration)] for c in causes[:limit]]
    console.print(
        table(_cited(held.constraint, len(causes), len(rows)), ["failure", "rule", "iteration"], rows)
    )
    rows = [
        [b.strategy_id[:8], str(b.iteration_id), b.arm.value, "yes" if b.sole_blocker else "no"]
        for b in blocked[:limit]
    ]
    more = f" (the first {limit}; --limit shows more)" if len(blocked) > limit else ""
    console.print(table(f"Would block{more}", ["strategy", "iteration", "arm", "alone"], rows))


def _cited(made: Constraint, cited: int, shown: int) -> str:
    """How many failures there were, of how many a sample is cited, and how many of these are shown."""
    counted = made.statistics.get("failures")
    whole = f", a sample of {counted:,.0f}" if counted is not None and counted > cited else ""
    rest = f" (and {cited - shown} more; --limit shows them)" if cited > shown else ""
    return f"Cites {cited} stored failures{whole}{rest}"
