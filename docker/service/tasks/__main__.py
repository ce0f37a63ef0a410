"""The operator's tool: python -m tasks COMMAND"""

import argparse
import asyncio

from tasks import logs
from tasks.database import create_engine, migrate
from tasks.settings import Settings


async def _migrate() -> None:
    engine = create_engine(Settings())
    await migrate(engine)
    await engine.dispose()
    print("The schema is up to date.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tasks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("migrate", help="bring the schema up to date").set_defaults(run=_migrate)
    arguments = parser.parse_args()
    asyncio.run(arguments.run())


logs.configure()
main()
