"""The engine, and its schema."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from core.settings import Settings

_MIGRATION_LOCK = 0x7461736B73  # "tasks"


def create_engine(settings: Settings) -> AsyncEngine:
    if settings.database_url is None:
        return _sqlite(settings.data_dir / "tasks.db")
    return create_async_engine(
        _for_asyncpg(make_url(settings.database_url)),
        # Short limits: a database that does not answer becomes a 503, never a hang.
        connect_args={"timeout": 3, "command_timeout": 5},
        pool_size=settings.database_connections,
        max_overflow=0,
        pool_timeout=3,
        pool_use_lifo=True,
        hide_parameters=True,  # an error's text quotes them: prompts, in the log
    )


def _for_asyncpg(url: URL) -> URL:
    """libpq's URL in asyncpg's words: what pg_dump and the service are given is the same."""
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


def _sqlite(path: Path) -> AsyncEngine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 5}, hide_parameters=True
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    return engine


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Changes a running service's schema, however long a statement takes on all its rows."""
    postgresql = engine.dialect.name == "postgresql"
    patient = create_async_engine(engine.url, poolclass=NullPool) if postgresql else engine
    async with patient.connect() as connection:
        # Two jobs at once: the second waits, then finds nothing to do. It waits without a
        # transaction: an index that is built concurrently would wait for that one in turn.
        lock = text(f"SELECT pg_try_advisory_lock({_MIGRATION_LOCK})")
        while postgresql and not await connection.scalar(lock):
            await connection.rollback()
            await asyncio.sleep(0.2)
        await connection.rollback()
        await connection.run_sync(_upgrade, revision)
        await connection.commit()


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
