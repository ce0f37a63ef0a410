"""Puts the model into $MODEL_DIR, whole or not at all."""

from core import logs
from core.settings import Settings
from worker import download

logs.configure()
download.ensure(Settings())
