"""Values and names as SQL text: the one way by which anything not written by us enters a statement."""


def literal(value: str | int | float | bool | None) -> str:
    """Return `value` as a SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier; each part of a dotted name by itself."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def whole(name: str) -> str:
    """Return `name` quoted as one SQL identifier, its dots included."""
    return '"' + name.replace('"', '""') + '"'
