"""What records refer to: policies, universe, snapshot, templates and atoms."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

from quantrail.domain.ids import DataVersion
from quantrail.domain.ledger import AtomEntry, TemplateEntry
from quantrail.domain.records import Policy, Snapshot, Universe
from quantrail.errors import NotFound
from quantrail.services.loop.state import Services
from quantrail.strategy import ATOMS, TEMPLATES, Atom, Template


def snapshot_of(services: Services, version: str | None) -> DataVersion:
    """The snapshot asked for, or the home's current one; NotFound when there is none."""
    if version is not None:
        return services.market.snapshot(DataVersion(version)).version
    current = services.market.current()
    if current is None:
        raise NotFound(
            "there are no market data in this home; import some with `quantrail data import FILE`, or the "
            "bundled bars with `quantrail data import --sample`"
        )
    return current.version


def stored_snapshot(services: Services, version: DataVersion) -> Snapshot:
    """The record of a snapshot: the same for every run on it, whatever part the run reads."""
    info = services.market.snapshot(version)
    first = min(span.first for span in info.symbols)
    last = max(span.last for span in info.symbols)
    return Snapshot(version, "market", len(info.names()), info.rows, first, last)


def register(services: Services, policies: Mapping[str, str], universe: Universe, snapshot: Snapshot) -> None:
    """Everything that records of a run refer to; the same again changes nothing.

    ``policies`` maps kinds to versions.
    """
    with services.store.unit() as unit:
        unit.save_policies([Policy(v, kind, policy_body(v)) for kind, v in policies.items()])
        unit.save_universes([universe])
        unit.save_snapshots([snapshot])
        unit.save_atoms([_atom(atom) for atom in ATOMS.values()])
        unit.save_templates([_template(template) for template in TEMPLATES.values()])
        unit.commit()


def policy_body(name: str) -> dict[str, Any]:
    """A shipped policy file as it stands, by version."""
    text = (files("quantrail.analysis") / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    body: dict[str, Any] = yaml.safe_load(text)
    return body


def _atom(atom: Atom) -> AtomEntry:
    return AtomEntry(
        atom_id=atom.atom_id,
        kind=atom.kind,
        tier=atom.tier,
        status=atom.status,
        confidence=atom.confidence,
        parameter_schema=atom.parameter_schema,
        rationale=atom.rationale,
        reference=atom.reference,
    )


def _template(template: Template) -> TemplateEntry:
    return TemplateEntry(
        template_id=template.template_id,
        name=template.name,
        tier=template.tier,
        status=template.status,
        confidence=template.confidence,
        parameter_schema=template.parameter_schema,
        rationale=template.rationale,
        reference=template.reference,
        atoms=template.atom_ids,
    )
