"""Puts the model into $MODEL_DIR/$MODEL_ID, whole or not at all."""

from tasks import logs
from tasks.settings import Settings
from worker import download

logs.configure()
download.ensure(Settings())
