"""Column types that mean the same on SQLite (STRICT) and PostgreSQL.

Inside, rows join on an integer ``pk``; the content id stands once, as a unique byte string. Times are
microseconds since 1970 UTC, so that no driver can drop a time zone; dates are ISO text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite import REAL
from sqlalchemy.types import TypeEngine

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)

WHOLE: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
FLAG: TypeEngine[bool] = Boolean(create_constraint=False).with_variant(Integer(), "sqlite")
NUMBER: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
BYTES: TypeEngine[bytes] = LargeBinary()
TAGS: TypeEngine[str] = Text().with_variant(JSONB(), "postgresql")


def table(name: str, *parts: Any, rowid: bool = True) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def pk() -> Column[Any]:
    return Column("pk", WHOLE, primary_key=True, autoincrement=False)


def ref(name: str, target: str, null: bool = False, **options: Any) -> Column[Any]:
    """A foreign key to ``target``'s pk; nothing that others rest on can be deleted."""
    return Column(name, WHOLE, ForeignKey(f"{target}.pk"), nullable=null, **options)


def content_id(name: str, unique: bool = True) -> Column[Any]:
    return Column(name, BYTES, nullable=False, unique=unique)


def text(name: str, null: bool = False, **options: Any) -> Column[Any]:
    return Column(name, Text(), nullable=null, **options)


def whole(name: str, null: bool = False, **options: Any) -> Column[Any]:
    return Column(name, WHOLE, nullable=null, **options)


def number(name: str, null: bool = False) -> Column[Any]:
    return Column(name, NUMBER, nullable=null)


def flag(name: str) -> tuple[Column[Any], CheckConstraint]:
    """A boolean; SQLite, which has none, is told to take 0 and 1 only."""
    only = CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_flag").ddl_if(dialect="sqlite")
    return Column(name, FLAG, nullable=False), only


def blob(name: str, null: bool = False) -> Column[Any]:
    return Column(name, BYTES, nullable=null)


def created_at() -> Column[Any]:
    return whole("created_at")


def one_of(column: str, kind: type[StrEnum] | tuple[str, ...]) -> CheckConstraint:
    """A closed vocabulary, refused by the database itself."""
    words = kind if isinstance(kind, tuple) else tuple(member.value for member in kind)
    # Spelt without IN: SQLite builds a lookup table for an IN list once per inserted row.
    listed = " OR ".join(f"{column} = '{word}'" for word in words)
    return CheckConstraint(listed, name=f"{column}_known")


def between(column: str, low: float, high: float) -> CheckConstraint:
    return CheckConstraint(f"{column} >= {low} AND {column} <= {high}", name=f"{column}_range")


def best_first(table_name: str, column: str) -> tuple[Index, Index]:
    """Descending, undefined last; SQLite's DESC does that by itself and refuses the words."""
    name = f"ix_{table_name}_{column}"
    return (
        Index(name, sql(f"{column} DESC")).ddl_if(dialect="sqlite"),
        Index(name, sql(f"{column} DESC NULLS LAST")).ddl_if(dialect="postgresql"),
    )
