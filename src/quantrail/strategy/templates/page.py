"""The reference page of templates and atoms, written from the registry."""

from __future__ import annotations

from collections.abc import Iterable

from quantrail.strategy.templates.parameter import Parameter
from quantrail.strategy.templates.registry import ATOMS, TEMPLATES

_HEAD = """# Templates and atoms

Written by `python -m quantrail.strategy.templates.page`; a test keeps it equal to the registry. Nothing
here has evidence behind it yet: every piece starts at tier T0 with confidence 0.5, and the store keeps
what is learnt.
"""


def templates_page() -> str:
    """The page in Markdown."""
    lines = [_HEAD, "## Templates", ""]
    for template in TEMPLATES.values():
        rules = f" Rules: {', '.join(map(str, template.rules))}." if template.rules else ""
        lines += [
            f"**{template.template_id}** {template.rationale} {template.reference}.",
            f"Atoms: {', '.join(template.atom_ids)}. Parameters: {_parameters(template.parameters)}.{rules}",
            "",
        ]
    lines += ["## Atoms", "", "| atom | kind | why | source | parameters |", "|---|---|---|---|---|"]
    for atom in ATOMS.values():
        cells = (atom.atom_id, atom.kind, atom.rationale, atom.reference, _parameters(atom.parameters))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _parameters(parameters: Iterable[Parameter]) -> str:
    shown = [
        f"`{item.name}` {item.low}..{item.high} step {item.step} ({item.default})" for item in parameters
    ]
    return ", ".join(shown) or "none"


def main() -> None:
    """Print the page."""
    import sys

    sys.stdout.write(templates_page())


if __name__ == "__main__":
    main()
