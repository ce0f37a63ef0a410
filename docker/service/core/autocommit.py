"""Statements that are each a transaction of their own: no BEGIN and COMMIT around them."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.selectable import ExecutableReturnsRows as Statement

from core.driver import Driver

Row = dict[str, Any]


class Autocommit:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.dialect: str = engine.dialect.name
        self._driver = Driver(engine.dialect) if self.dialect == "postgresql" else None

    async def rows(self, statement: Statement, *many: Row, **one: Any) -> list[Row]:
        """Runs the statement with the parameters of many rows, or of one. It has to be one of a few
        (see `Driver.run`)."""
        async with self._engine.connect() as connection:
            if self._driver and not many:
                return await self._driver.run(connection, statement, one)
            result = await connection.execute(statement, many or one)
            return [dict(row) for row in result.mappings()]

    async def value(self, statement: Statement, **parameters: Any) -> Any:
        """Of a statement that gives one row of one column."""
        (row,) = await self.rows(statement, **parameters)
        (value,) = row.values()
        return value
