"""The operator's tool: python -m tasks COMMAND"""

import argparse
import asyncio
import re
import sys
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from core import logs
from core.database import create_engine, migrate
from core.keys import KeyStore
from core.settings import Settings
from tasks.parameters import Address
from tasks.store import EVER, TaskStore
from tasks.webhooks import WebhookStore


async def _migrate(engine: AsyncEngine, _: argparse.Namespace) -> None:
    await migrate(engine)
    print("The schema is up to date.")


async def _dead(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    for task in await TaskStore(engine, Settings()).dead(seconds=arguments.since):
        print(task.id, task.finished_at, task.error_code, task.error, sep="\t")


async def _requeue(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    store = TaskStore(engine, Settings())
    ids = await store.requeue_dead(arguments.task_id or None, seconds=arguments.since)
    left = len(await store.dead(seconds=arguments.since))
    print(f"{len(ids)} tasks queued again, {left} left dead.")


def _duration(text: str) -> float:
    """As kubectl's --since has it. @returns seconds"""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is not a duration such as 30m, 2h or 7d")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _address(text: str) -> str:
    """As a request may name it."""
    try:
        return TypeAdapter[str](Address).validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError(f"{text} is not an address") from None


async def _create_key(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    try:
        token = await KeyStore(engine).create(
            arguments.name,
            priority=arguments.priority,
            images_per_day=arguments.images_per_day,
            webhook=arguments.webhook,
        )
    except IntegrityError:
        sys.exit(f"There is or was a key named {arguments.name}.")
    print(token)


async def _list_keys(engine: AsyncEngine, _: argparse.Namespace) -> None:
    for key in await KeyStore(engine).list():
        quota = "no quota" if key.images_per_day is None else f"{key.images_per_day} images a day"
        state = f"revoked {key.revoked_at}" if key.revoked_at else "active"
        told = [f"webhook {key.webhook}"] if key.webhook else []
        print(key.name, f"priority {key.priority}", quota, *told, state, sep="\t")


async def _revoke_key(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    if not await KeyStore(engine).revoke(arguments.name):
        sys.exit(f"There is no active key named {arguments.name}.")
    print("Revoked. Every replica refuses it within a minute.")


async def _show_webhook(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    webhook = await WebhookStore(engine).get(arguments.task_id)
    if webhook is None:
        sys.exit(f"{arguments.task_id} has no webhook.")
    if webhook.delivered_at:
        state = f"delivered {webhook.delivered_at}"
    else:
        state = f"due {webhook.due_at}" if webhook.due_at else "given up"
    print(webhook.url, state, sep="\t")
    for attempt in webhook.attempts:
        print(attempt.at, attempt.outcome, sep="\t")


async def _retry_webhooks(engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    print(f"{await WebhookStore(engine).retry(arguments.task_id)} webhooks are told again.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    commands.add_parser("migrate", help="bring the schema up to date").set_defaults(run=_migrate)
    dead = commands.add_parser("dead", help="list tasks whose last attempt failed")
    dead.set_defaults(run=_dead)
    requeue = commands.add_parser(
        "requeue", help="give dead tasks fresh attempts, as many as the queue has room for"
    )
    for command in (dead, requeue):
        command.add_argument(
            "--since",
            type=_duration,
            default=EVER,
            metavar="2h",
            help="only those that died within it",
        )
    requeue.add_argument("task_id", nargs="*", type=UUID, help="only these; all when none is named")
    requeue.set_defaults(run=_requeue)

    keys = commands.add_parser("keys", help="create, list and revoke keys")
    verbs = keys.add_subparsers(required=True, metavar="VERB")
    create = verbs.add_parser("create", help="make a key and show it, this once")
    create.add_argument("name")
    create.add_argument("--images-per-day", type=int, help="quota; none when left out")
    create.add_argument("--priority", type=int, default=0, help="higher goes first; 0 by default")
    create.add_argument("--webhook", type=_address, help="who is told of tasks that name nobody")
    create.set_defaults(run=_create_key)
    verbs.add_parser("list", help="show all keys").set_defaults(run=_list_keys)
    revoke = verbs.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("name")
    revoke.set_defaults(run=_revoke_key)

    webhooks = commands.add_parser("webhooks", help="look at webhooks, and tell them again")
    verbs = webhooks.add_subparsers(required=True, metavar="VERB")
    show = verbs.add_parser("log", help="show each attempt to tell a task's webhook")
    show.add_argument("task_id", type=UUID)
    show.set_defaults(run=_show_webhook)
    again = verbs.add_parser("retry", help="tell webhooks once more, with fresh attempts")
    again.add_argument("task_id", nargs="*", type=UUID, help="only these; all that were given up")
    again.set_defaults(run=_retry_webhooks)
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    engine = create_engine(Settings())
    try:
        await arguments.run(engine, arguments)
    finally:
        await engine.dispose()


logs.configure()
asyncio.run(_run(_parser().parse_args()))
