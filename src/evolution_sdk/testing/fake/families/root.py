"""Routes of the server itself: ``/``, ``/verify-creds``, ``/metrics`` and the static paths."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from evolution_sdk.testing.fake.errors import not_found
from evolution_sdk.testing.fake.js import UNDEFINED, defined
from evolution_sdk.testing.fake.reply import Reply, text_reply
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.state import ServerState

_WEB_VERSION = "2.3000.1027934701"
_PLAIN = "text/plain; version=0.0.4"
_REALM = 'Basic realm="Evolution API Metrics"'
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
    "</head>\n<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
)


def _info(call: RouteCall) -> Any:
    host = call.headers.get("host", "127.0.0.1")
    asks_web = call.server.profile.has("info_asks_whatsapp_web")
    return defined(
        status=200,
        message="Welcome to the Evolution API, it is working!",
        version=str(call.server.profile.version),
        clientName="evolution",
        # Made from the request, not from SERVER_URL.
        manager=f"http://{host}/manager" if call.server.options.manager else UNDEFINED,
        documentation="https://doc.evolution-api.com",
        whatsappWebVersion=_WEB_VERSION if asks_web else UNDEFINED,
    )


def _verify(_: RouteCall) -> Any:
    return {"status": 200, "message": "Credentials are valid"}


def _metrics(call: RouteCall) -> Reply:
    wanted = call.server.options.metrics_credentials
    given = call.headers.get("authorization", "")
    # Without configured credentials the metrics are open to all.
    if wanted is not None:
        if not given.startswith("Basic "):
            return text_reply(401, "Authentication required", www_authenticate=_REALM)
        if _decode(given.removeprefix("Basic ")) != ":".join(wanted):
            return text_reply(401, "Invalid credentials")
    return text_reply(200, _exposition(call.server), _PLAIN, cache_control="no-cache")


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _exposition(server: ServerState) -> str:
    options = server.options
    instances = server.all_loaded()
    environment = (
        f'version="{_label(str(server.profile.version))}",clientName="evolution",'
        f'serverUrl="{_label(options.server_url)}"'
    )
    lines = [
        "# HELP evolution_environment_info Environment information",
        "# TYPE evolution_environment_info gauge",
        f"evolution_environment_info{{{environment}}} 1",
        "# HELP evolution_instances_total Total number of instances",
        "# TYPE evolution_instances_total gauge",
        f"evolution_instances_total {len(instances)}",
        "# HELP evolution_instance_up 1 if instance state is open, else 0",
        "# TYPE evolution_instance_up gauge",
        "# HELP evolution_instance_state Instance state as a labelled metric",
        "# TYPE evolution_instance_state gauge",
    ]
    # Only loaded instances: rows that linger are not counted.
    for instance in instances:
        labels = f'instance="{_label(instance.name)}",integration="{instance.integration}"'
        lines.append(f"evolution_instance_up{{{labels}}} {int(instance.state == 'open')}")
        lines.append(f'evolution_instance_state{{{labels},state="{instance.state}"}} 1')
    return "\n".join(lines) + "\n"


def _manager(call: RouteCall) -> Reply:
    if not call.server.options.manager:
        raise not_found("Cannot GET /manager")
    # Express redirects a folder to the same path with a slash.
    if "path" not in call.params:
        page = _PAGE.format(title="Redirecting", text="Redirecting to /manager/")
        return text_reply(301, page, location="/manager/")
    return text_reply(200, _PAGE.format(title="Evolution Manager", text="Evolution Manager"))


def _asset(call: RouteCall) -> Reply:
    name = str(call.params.get("path", ""))
    # The server's own guard against leaving the folder.
    if not name or ".." in name or "\\" in name or name.startswith("/"):
        return text_reply(403, "Forbidden")
    return text_reply(404, "File not found")


ROUTES = [
    Route("root.get_information", _info, guard="none"),
    Route("root.verify_credentials", _verify, guard="key"),
    Route("root.get_metrics", _metrics, guard="none"),
    # Pages of the web manager, which no client calls: there is no operation to take them from.
    Route("root.manager_ui", _manager, path="/manager", guard="none", merge_query=False),
    Route("root.manager_ui", _manager, path="/manager/{path*}", guard="none"),
    Route("root.manager_asset", _asset, path="/assets/{path*}", guard="none"),
]
