"""Puts the model into $MODEL_DIR, whole or not at all."""

from tasks import logs
from tasks.settings import Settings
from worker import download

logs.configure()
download.ensure(Settings())
