"""The structured knowledge store: tables, migrations, repositories, artifact files."""
