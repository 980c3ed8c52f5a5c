"""The engine as the app sees it: a process that starts, answers on loopback, and ends with its parent."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import tarfile
from pathlib import Path

from tests.engine.conftest import ROOT, TOKEN, Actions, Engine, Process, engine_python, free_port, run_engine


def refused(*arguments: str, token: str = TOKEN, quiet: bool = True) -> tuple[int, dict[str, str]]:
    here, there = os.pipe()  # a parent that stays
    try:
        done = subprocess.run(
            [engine_python(), "-m", "engine.start", *arguments],
            cwd=ROOT,
            env={**os.environ, "ADEMRUIMTE_ENGINE_TOKEN": token},
            stdin=here,
            capture_output=True,
            check=False,
        )
    finally:
        os.close(here)
        os.close(there)
    assert not (quiet and done.stderr)
    return done.returncode, json.loads(done.stdout)


async def test_it_says_when_it_is_ready_and_with_which_model(engine: Engine) -> None:
    assert engine.process.ready["event"] == "ready"
    assert engine.process.ready["model"] == "model.tar.gz"


def test_it_listens_on_loopback_only(shared_process: Process) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row[1] for row in listening if row[1].endswith(f":{shared_process.port:04X}") and row[3] == "0A"]
    assert ours == [f"0100007F:{shared_process.port:04X}"]


def test_a_model_without_neural_networks_leaves_tensorflow_on_the_disk(shared_process: Process) -> None:
    maps = Path(f"/proc/{shared_process.popen.pid}/maps").read_text()
    assert "tensorflow" not in maps
    assert "sklearn" in maps


async def test_it_ends_when_its_parent_is_gone(own_engine: Engine) -> None:
    assert own_engine.process.popen.stdin is not None
    own_engine.process.popen.stdin.close()
    assert await own_engine.ended() == 0


async def test_it_ends_when_it_is_asked_to(own_engine: Engine) -> None:
    own_engine.process.popen.send_signal(signal.SIGTERM)
    assert await own_engine.ended() == 0


def test_a_taken_port_is_said_in_one_sentence(small_model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = refused("--port", str(taken.getsockname()[1]), "--model", str(small_model))
    assert code == 2
    assert "is not free" in said["reason"]


def test_a_missing_or_broken_model_is_said_in_one_sentence(tmp_path: Path) -> None:
    code, said = refused("--port", str(free_port()), "--model", str(tmp_path / "none.tar.gz"))
    assert (code, said["event"]) == (2, "failed")
    (tmp_path / "broken.tar.gz").write_bytes(b"not a model")
    code, said = refused("--port", str(free_port()), "--model", str(tmp_path / "broken.tar.gz"))
    assert "is not a trained model" in said["reason"]


def test_a_model_that_will_not_load_ends_it(small_model: Path, tmp_path: Path) -> None:
    with tarfile.open(small_model) as archive:
        archive.extractall(tmp_path / "model", filter="data")
    found = next((tmp_path / "model").rglob("metadata.json"))
    found.write_text(found.read_text().replace("engine.score_component", "engine.no_such_component"))
    with tarfile.open(tmp_path / "odd.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "model", arcname=".")
    code, said = refused("--port", str(free_port()), "--model", str(tmp_path / "odd.tar.gz"), quiet=False)
    assert code == 1
    assert "could not be loaded" in said["reason"]


def test_it_does_not_start_without_a_token(small_model: Path) -> None:
    code, said = refused("--port", str(free_port()), "--model", str(small_model), token="")
    assert (code, said["reason"]) == (2, "ADEMRUIMTE_ENGINE_TOKEN is not set")


async def test_its_log_never_holds_what_people_write(engine: Engine, actions: Actions, who: str) -> None:
    secrets = [
        "mijn geheim over Tist",
        '/onbekend{"geheim": "Tist"}',
        "/geheim_Tist{kapot",
        "stop geheim Tist",
    ]
    for number, text in enumerate(secrets):
        await engine.ask(who, str(number), text)
    await engine.ask(who, "fails", "/stop")  # an action that fails is logged
    assert actions.calls[-1]["next_action"] == "action_fails"
    log = engine.process.log.read_text()
    assert "geheim" not in log.lower()
    assert "tist" not in log.lower()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["place"].startswith("rasa/core/processor.py") and "errors" in line for line in lines)


async def test_a_new_model_is_taken_in_without_a_restart(engine: Engine, small_model: Path, who: str) -> None:
    await engine.say(who, "1", "/start_check_in")
    for model, status in ((small_model, 204), (small_model.with_name("none.tar.gz"), 400)):
        async with engine.http.put(
            "/model", params={"token": TOKEN}, json={"model_file": str(model)}
        ) as response:
            assert response.status == status
    async with engine.http.put("/model", json={"model_file": str(small_model)}) as response:
        assert response.status == 401
    assert await engine.say(who, "2", "een 7") == [{"text": "En de druk?"}]


async def test_nothing_is_lost_when_it_is_killed(small_model: Path, tmp_path: Path, actions: Actions) -> None:
    async with run_engine(small_model, tmp_path / "tracker.db", actions.url) as first:
        await first.say("a", "1", "/start_check_in")
        asked = await first.say("a", "2", "7")
        first.process.popen.kill()
        await first.ended()
    calls = len(actions.calls)
    async with run_engine(small_model, tmp_path / "tracker.db", actions.url) as second:
        assert await second.say("a", "2", "7") == asked
        assert len(actions.calls) == calls
        assert await second.say("a", "3", "9") == [{"text": "slaap 7, druk 9", "custom": {"type": "chart"}}]


async def test_a_turn_that_is_cut_off_by_a_kill_runs_again_from_its_start(
    small_model: Path, tmp_path: Path, actions: Actions
) -> None:
    async with run_engine(small_model, tmp_path / "tracker.db", actions.url) as first:
        await first.say("a", "1", "/greet")
        actions.release.clear()
        turn = asyncio.create_task(first.say("a", "2", "/goodbye"))
        await actions.called.wait()
        first.process.popen.kill()
        await first.ended()
        await asyncio.gather(turn, return_exceptions=True)
    actions.release.set()
    async with run_engine(small_model, tmp_path / "tracker.db", actions.url) as second:
        assert await second.say("a", "2", "/goodbye") == [{"text": "Tot later."}]
        said = [event["text"] for event in (await second.tracker("a"))["events"] if event["event"] == "user"]
    assert said == ["/greet", "/goodbye"]
