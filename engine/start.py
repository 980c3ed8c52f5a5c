"""Room `engine`: starts Rasa for the app, on loopback only. May know Rasa, sanic and this room.

    python -m engine.start --port 5005 --model .ademruimte/models/current.tar.gz

The environment holds what is secret or belongs to the app: ADEMRUIMTE_ENGINE_TOKEN (required),
ADEMRUIMTE_ACTION_URL, ADEMRUIMTE_ACTION_TOKEN and ADEMRUIMTE_TRACKER_DB. One line of JSON on standard output
says when it is ready. It ends when its standard input does (its parent is gone) and on SIGTERM.
"""

# ruff: noqa: PLC0415 - imports wait until it is known which of them this model needs

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TRACKER_DB = ".ademruimte/tracker.db"
GRACE_SECONDS = 2.0  # for turns that are running when the engine is asked to stop


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the exit code is 0 then, 2 for a wrong call, 1 for a model that will not load."""
    began = time.monotonic()
    options = _options(arguments)
    token = os.environ.get("ADEMRUIMTE_ENGINE_TOKEN", "")
    if not token:
        return _refuse("ADEMRUIMTE_ENGINE_TOKEN is not set")
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", options.port))
    except OSError as error:
        return _refuse(f"port {options.port} on 127.0.0.1 is not free: {error.strerror}")
    try:
        prepare_imports(options.model)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        return _refuse(f"{options.model} is not a trained model: {error}")
    app = build_app(options.model, options.endpoints, token, began)
    app.run(sock=listener, access_log=False, debug=False)
    return 1 if getattr(app.ctx, "failed", False) else 0


def prepare_imports(model: Path) -> None:
    """Set the process up for Rasa: quiet, offline, and without TensorFlow when this model does without.

    Raises:
        OSError, tarfile.TarError, KeyError, ValueError: `model` is not a trained model.
    """
    from engine import light

    os.environ.update(RASA_TELEMETRY_ENABLED="false", SQLALCHEMY_SILENCE_UBER_WARNING="1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a sentence is too small to share among threads
    unused = light.UNUSED_CLIENTS
    if not light.needs_tensorflow(light.components_of_model(model)):
        unused += light.TENSORFLOW
    light.leave_out(unused)
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # the model names components of ours by module path


def build_app(model: Path, endpoints_file: Path | None, token: str, began: float) -> Any:
    """Rasa's own server with our channel, store, lock and patches; the model loads when it starts."""
    from engine import logs

    logs.configure()
    import rasa.core.channels.channel
    import rasa.server
    from rasa.core.agent import load_agent

    from engine import patches
    from engine.channel import AdemruimteChannel

    logs.configure()  # once more: some libraries set up logging while they are imported
    patches.apply()
    endpoints = _endpoints(endpoints_file)
    app = rasa.server.create_app(cors_origins="", auth_token=token, endpoints=endpoints)
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = GRACE_SECONDS
    app.config.FALLBACK_ERROR_FORMAT = "json"
    rasa.core.channels.channel.register([AdemruimteChannel(token)], app, route="/webhooks/")
    logs.quiet_libraries()

    async def load(app: Any, loop: Any) -> None:
        app.ctx.agent = await load_agent(model_path=str(model), endpoints=endpoints, loop=loop)
        if not app.ctx.agent.is_ready():
            app.ctx.failed = True
            _refuse(f"{model} could not be loaded")
            app.stop()

    def report() -> None:
        seconds = round(time.monotonic() - began, 2)
        _say({"event": "ready", "model": app.ctx.agent.processor.model_filename, "seconds": seconds})

    async def started(app: Any, loop: Any) -> None:
        if not getattr(app.ctx, "failed", False):
            # Sanic forgets a SIGTERM that comes before its loop runs for good; what is said then is said in time.
            loop.call_later(0.01, report)

    async def close(_app: Any, _loop: Any) -> None:
        await patches.close_sessions()

    app.register_listener(load, "before_server_start")
    app.register_listener(started, "after_server_start")
    app.register_listener(close, "after_server_stop")
    return app


def _endpoints(file: Path | None) -> Any:
    """The endpoints of Rasa's file, when given, with what the app says in the environment above them."""
    from rasa.core.utils import AvailableEndpoints
    from rasa.utils.endpoints import EndpointConfig

    from engine.lock_store import AsyncLockStore
    from engine.tracker_store import CachedSQLTrackerStore

    endpoints = AvailableEndpoints.read_endpoints(str(file)) if file else AvailableEndpoints()
    url = os.environ.get("ADEMRUIMTE_ACTION_URL")
    if url:
        endpoints.action = EndpointConfig(
            url, token=os.environ.get("ADEMRUIMTE_ACTION_TOKEN"), enable_selective_domain=True
        )
    database = os.environ.get("ADEMRUIMTE_TRACKER_DB")
    if database or endpoints.tracker_store is None:
        endpoints.tracker_store = CachedSQLTrackerStore(db=database or DEFAULT_TRACKER_DB)
    if endpoints.lock_store is None:
        endpoints.lock_store = AsyncLockStore()
    return endpoints


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.start", description="Start Rasa on loopback.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--model", type=Path, required=True, help="a trained model, .tar.gz")
    parser.add_argument("--endpoints", type=Path, help="Rasa's endpoints.yml; the environment goes before it")
    return parser.parse_args(arguments)


def _end_with_parent() -> None:
    """Wait for the end of standard input, then stop: gently first, at once when that takes too long."""
    while os.read(0, 4096):  # not sys.stdin, whose lock Python wants back when it ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS + 1)
    os._exit(0)


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _refuse(reason: str) -> int:
    _say({"event": "failed", "reason": reason})
    return 2


if __name__ == "__main__":
    sys.exit(main())
