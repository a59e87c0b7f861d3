"""The strategy language: parse, validate, canonical form and hash, templates and atoms."""
