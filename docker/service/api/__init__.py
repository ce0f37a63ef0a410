"""The HTTP API: uvicorn api:app"""

from api.app import create_app

app = create_app()
