"""``/``, ``/verify-creds``, ``/metrics`` and the static paths."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from evolution_sdk.testing.fake.errors import not_found
from evolution_sdk.testing.fake.js import UNDEFINED, defined
from evolution_sdk.testing.fake.reply import Reply, text_reply
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.world import World

_WEB_VERSION = "2.3000.1027934701"
_PLAIN = "text/plain; version=0.0.4"
_REALM = 'Basic realm="Evolution API Metrics"'
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
    "</head>\n<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
)


def _info(call: Call) -> Any:
    host = call.headers.get("host", "127.0.0.1")
    return defined(
        status=200,
        message="Welcome to the Evolution API, it is working!",
        version=call.world.options.version,
        clientName="evolution",
        manager=f"http://{host}/manager" if call.world.options.manager else UNDEFINED,
        documentation="https://doc.evolution-api.com",
        whatsappWebVersion=_WEB_VERSION,
    )


def _verify(_: Call) -> Any:
    return {"status": 200, "message": "Credentials are valid"}


def _metrics(call: Call) -> Reply:
    wanted = call.world.options.metrics_credentials
    given = call.headers.get("authorization", "")
    if wanted is not None:
        if not given.startswith("Basic "):
            return text_reply(401, "Authentication required", www_authenticate=_REALM)
        if _decode(given.removeprefix("Basic ")) != ":".join(wanted):
            return text_reply(401, "Invalid credentials")
    return text_reply(200, _exposition(call.world), _PLAIN, cache_control="no-cache")


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _exposition(world: World) -> str:
    options = world.options
    instances = world.all_loaded()
    server = (
        f'version="{_label(options.version)}",clientName="evolution",'
        f'serverUrl="{_label(options.server_url)}"'
    )
    lines = [
        "# HELP evolution_environment_info Environment information",
        "# TYPE evolution_environment_info gauge",
        f"evolution_environment_info{{{server}}} 1",
        "# HELP evolution_instances_total Total number of instances",
        "# TYPE evolution_instances_total gauge",
        f"evolution_instances_total {len(instances)}",
        "# HELP evolution_instance_up 1 if instance state is open, else 0",
        "# TYPE evolution_instance_up gauge",
        "# HELP evolution_instance_state Instance state as a labelled metric",
        "# TYPE evolution_instance_state gauge",
    ]
    for instance in instances:
        labels = f'instance="{_label(instance.name)}",integration="{instance.integration}"'
        lines.append(f"evolution_instance_up{{{labels}}} {int(instance.state == 'open')}")
        lines.append(f'evolution_instance_state{{{labels},state="{instance.state}"}} 1')
    return "\n".join(lines) + "\n"


def _manager(call: Call) -> Reply:
    if not call.world.options.manager:
        raise not_found("Cannot GET /manager")
    if "path" not in call.params:
        page = _PAGE.format(title="Redirecting", text="Redirecting to /manager/")
        return text_reply(301, page, location="/manager/")
    return text_reply(200, _PAGE.format(title="Evolution Manager", text="Evolution Manager"))


def _asset(call: Call) -> Reply:
    name = str(call.params.get("path", ""))
    if not name or ".." in name or "\\" in name or name.startswith("/"):
        return text_reply(403, "Forbidden")
    return text_reply(404, "File not found")


ROUTES = [
    Route("root.get_information", "GET", "/", _info, guard="none"),
    Route("root.verify_credentials", "POST", "/verify-creds", _verify, guard="key"),
    Route("root.get_metrics", "GET", "/metrics", _metrics, guard="none"),
    Route("root.manager_ui", "GET", "/manager", _manager, guard="none", merge_query=False),
    Route("root.manager_ui", "GET", "/manager/{path*}", _manager, guard="none"),
    Route("root.manager_asset", "GET", "/assets/{path*}", _asset, guard="none"),
]
