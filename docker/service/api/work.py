"""GET /work, on the metrics port: what KEDA scales workers by. It tells the truth or fails, unlike
/metrics, which keeps what was counted last: whoever scales has to know that it is in the dark.

https://keda.sh/docs/latest/scalers/metrics-api/
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.models import model_of
from api.problems import Problem
from api.services import Services
from core.outages import is_outage


def route(services: Services) -> Route:
    async def work(request: Request) -> Response:
        """Of ?model=NAME, or of the default one."""
        try:
            model = model_of(services.settings, request.query_params.get("model"))
            seconds = await services.estimates.work_seconds(model)
        except Problem as problem:
            return JSONResponse({"detail": problem.detail}, problem.status)
        except Exception as error:
            if not is_outage(error):
                raise
            return JSONResponse({"detail": "The database does not answer."}, 503)
        return JSONResponse({"seconds": seconds})

    return Route("/work", work)
