"""`spec validate | hash | explain | diff | tried | schema | templates`: the strategy language."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantrail.apps.cli.output import EXIT_BAD_INPUT, HomeOption, JsonOption, emit_json, err, out, table
from quantrail.apps.cli.standard_input import document_of
from quantrail.domain.words import counted
from quantrail.errors import SpecInvalid

if TYPE_CHECKING:
    from quantrail.strategy import Template

app = typer.Typer(no_args_is_help=True)
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A strategy in YAML or JSON; - reads standard input.")
]


@app.command("validate")
def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Strategies; - reads standard input.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Check strategies and list everything that is wrong with each; exit code 2 if anything is.

    Example: `quantrail spec validate mine.yaml`
    """
    results = [_checked(file) for file in files]
    if as_json:
        emit_json(results[0] if len(results) == 1 else {"rows": results})
    else:
        for result in results:
            _print_checked(result)
    if not all(result["valid"] for result in results):
        raise typer.Exit(EXIT_BAD_INPUT)


def _checked(file: Path) -> dict[str, Any]:
    from quantrail.strategy import advisories, canonicalise, parse_spec

    try:
        found = canonicalise(parse_spec(document_of(file)))
    except SpecInvalid as error:
        return {"file": file, "valid": False, "problems": error.context["problems"], "warnings": []}
    return {
        "file": file,
        "valid": True,
        "strategy_id": found.strategy_id,
        "problems": [],
        "warnings": advisories(found.spec),
    }


def _print_checked(result: dict[str, Any]) -> None:
    if result["valid"]:
        _line(f"{result['file']}: valid, strategy {result['strategy_id'][:12]}")
        for warning in result["warnings"]:
            err().print(f"  warning: {warning}", markup=False, soft_wrap=True)
        return
    _line(f"{result['file']}: {counted(len(result['problems']), 'problem')}")
    for item in result["problems"]:
        value = "" if item["value"] is None else f", got {item['value']!r}"
        hint = f"; {item['hint']}" if item["hint"] else ""
        _line(f"  {item['path']}: {item['message']}{value}{hint} [{item['code']}]")


def _line(text: str) -> None:
    out().print(text, markup=False, soft_wrap=True)


@app.command("hash")
def hash_(file: FileArgument, as_json: JsonOption = False) -> None:
    """Print the identity of a strategy: equal for every spelling of the same meaning.

    Example: `quantrail spec hash mine.yaml --json`
    """
    from quantrail.strategy import canonicalise, parse_spec

    found = canonicalise(parse_spec(document_of(file)))
    record = {
        "strategy_id": found.strategy_id,
        "logic_hash": found.logic_hash,
        "spec_hash_version": found.spec_hash_version,
    }
    if as_json:
        emit_json(record)
    else:
        for name, value in record.items():
            out().print(f"{name:18} {value}", soft_wrap=True)


@app.command("explain")
def explain(file: FileArgument, as_json: JsonOption = False) -> None:
    """Say in a few sentences what a strategy does.

    Example: `quantrail spec explain mine.yaml`
    """
    from dataclasses import asdict

    from quantrail.strategy import canonicalise, complexity, explain_normal, parse_spec

    found = canonicalise(parse_spec(document_of(file)))
    text = explain_normal(found.spec)
    if as_json:
        emit_json(
            {"strategy_id": found.strategy_id, "text": text, "complexity": asdict(complexity(found.spec))}
        )
    else:
        out().print(text, markup=False)


@app.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A strategy in YAML or JSON.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: JsonOption = False,
) -> None:
    """Show what changes in meaning from A to B; spelling, names and order do not count.

    Example: `quantrail spec diff old.yaml new.yaml`
    """
    from quantrail.strategy import canonicalise, parse_spec
    from quantrail.strategy import diff as differences

    first, second = (canonicalise(parse_spec(document_of(file))) for file in (before, after))
    rows = differences(first.spec, second.spec)
    if as_json:
        ids = {"before": first.strategy_id, "after": second.strategy_id}
        emit_json({**ids, "same": first.strategy_id == second.strategy_id, "rows": rows})
        return
    if not rows:
        out().print("the same strategy")
        return
    shown = [[row.path, _side(row.before), _side(row.after)] for row in rows]
    out().print(table(None, ["what", "before", "after"], shown))


def _side(value: Any) -> str:
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@app.command("tried")
def tried(file: FileArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say whether a strategy was tried before: itself, its logic elsewhere, or what trades the same.

    A strategy that was never screened is compared by its signals on the bars of the latest search.

    Example: `quantrail spec tried mine.yaml`
    """
    from quantrail.apps.cli.session import session
    from quantrail.services.tried import tried_before
    from quantrail.strategy import load_document

    document = load_document(document_of(file))
    with session(home) as services:
        found = tried_before(services, document)
    if as_json:
        emit_json(found)
        return
    if not found.attempts:
        out().print(
            f"strategy {found.strategy_id[:12]} was not tried here, nor its logic, nor what trades alike"
        )
        return
    rows = [
        [
            attempt.how,
            attempt.strategy_id[:12],
            "–" if attempt.likeness is None else f"{attempt.likeness:.0%}",
            str(attempt.trials),
            "–" if attempt.tried_at is None else f"{attempt.tried_at:%Y-%m-%d}",
            "–" if attempt.score_total is None else f"{attempt.score_total:.3f}",
            {None: "–", True: "passed", False: "failed"}[attempt.passed],
        ]
        for attempt in found.attempts
    ]
    out().print(table(None, ["same", "strategy", "alike", "trials", "tried", "score", "gates"], rows))
    if found.failure_tags:
        tags = ", ".join(f"{tag} {count}" for tag, count in found.failure_tags.items())
        out().print(f"Apart from the gates it broke failure rules: {tags}", soft_wrap=True)


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of a strategy document.

    Example: `quantrail spec schema > strategy.schema.json`
    """
    from quantrail.strategy import json_schema

    emit_json(json_schema())


@app.command("templates")
def templates(
    name: Annotated[str | None, typer.Argument(metavar="[ID]", help="One template in full.")] = None,
    atoms: Annotated[bool, typer.Option("--atoms", help="The atoms that templates are made of.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the templates, or print one as a ready strategy document.

    Example: `quantrail spec templates SMA_CROSSOVER --json`
    """
    from quantrail.strategy import ATOMS, TEMPLATES, template

    if name is not None:
        _print_template(template(name.upper()), as_json)
        return
    records = (
        [_atom_record(atom) for atom in ATOMS.values()] if atoms else list(map(_record, TEMPLATES.values()))
    )
    if as_json:
        emit_json({"rows": records})
        return
    first = "atom_id" if atoms else "template_id"
    rows: Iterable[list[str]] = (
        [record[first], ", ".join(record["parameter_schema"]["properties"]), record["rationale"]]
        for record in records
    )
    wrap = ["parameters", "rationale"]  # an id cut short is of no use
    out().print(table(None, [first, *wrap], rows, wrap=wrap))


def _record(template: Template) -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "name": template.name,
        "tier": template.tier,
        "status": template.status,
        "confidence": template.confidence,
        "atoms": template.atom_ids,
        "rationale": template.rationale,
        "reference": template.reference,
        "parameter_schema": template.parameter_schema,
    }


def _atom_record(atom: Any) -> dict[str, Any]:
    return {
        "atom_id": atom.atom_id,
        "kind": atom.kind,
        "tier": atom.tier,
        "status": atom.status,
        "confidence": atom.confidence,
        "rationale": atom.rationale,
        "reference": atom.reference,
        "parameter_schema": atom.parameter_schema,
    }


def _print_template(template: Template, as_json: bool) -> None:
    document = template.build()
    if as_json:
        emit_json({**_record(template), "document": document})
        return
    import yaml

    out().print(f"# {template.rationale}\n# {template.reference}", markup=False, soft_wrap=True)
    out().print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), markup=False, soft_wrap=True)
