import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { backOff, WAITS } from "../node_modules/.ademruimte-test/waits.js";
import { bot, setUp, settle, useFakeTime } from "./support.js";

beforeEach(useFakeTime);
afterEach(() => mock.timers.reset());

const ready = { type: "session", remember: false };

async function started(options) {
  const all = setUp(options);
  all.connection.start();
  await settle();
  all.lines[0].open();
  all.lines[0].hears(ready);
  return all;
}

test("the first contact makes a session, says hello once and nothing else", async () => {
  const { lines, requests, tab } = await started();
  assert.deepEqual(requests.map((request) => request.path), ["sessions"]);
  assert.equal(tab.getItem("ademruimte.token"), "t1");
  assert.deepEqual(lines[0].sent.map((sent) => sent.payload), ["/greet"]);
});

test("a new conversation tells where the page is, an old one says itself where the person is", async () => {
  const fresh = setUp();
  fresh.connection.home = "nederland";
  fresh.connection.start();
  await settle();
  assert.deepEqual(fresh.requests[0].body, { region: "nederland" });

  const old = setUp({ token: "t0" });
  old.connection.home = "nederland";
  old.connection.start();
  await settle();
  old.lines[0].open();
  old.lines[0].hears({ ...ready, region: "vlaanderen", region_said: true });
  await settle();
  assert.equal(old.connection.region, "vlaanderen");
  assert.deepEqual(old.requests, []);
});

test("an old conversation in which nobody said where they are learns it from the page", async () => {
  const { connection, lines, requests } = setUp({ token: "t0" });
  connection.home = "nederland";
  connection.start();
  await settle();
  lines[0].open();
  lines[0].hears({ ...ready, region: "vlaanderen", region_said: false });
  await settle();
  assert.equal(connection.region, "nederland");
  assert.deepEqual(requests.map((request) => request.body), [{ region: "nederland" }]);
});

test("where the person says to be is told one after the other, and told again when it did not arrive", async () => {
  let reachable = false;
  const answer = (request) => {
    if (request.path === "region" && !reachable) throw new Error("no network");
    return [200, {}];
  };
  const { connection, lines, requests } = await started({ token: "t0", answer });
  const told = () => requests.filter((request) => request.path === "region").map((request) => request.body.region);
  connection.move("nederland");
  await settle();
  lines[0].hears({ ...ready, region: "vlaanderen", region_said: true });
  await settle();
  assert.equal(connection.region, "nederland", "what the person chose holds");
  assert.deepEqual(told(), ["nederland", "nederland"]);
  reachable = true;
  mock.timers.tick(WAITS.longestRetry);
  connection.move("vlaanderen");
  await settle();
  assert.deepEqual(told(), ["nederland", "nederland", "nederland", "vlaanderen"]);
  mock.timers.tick(WAITS.longestRetry);
  await settle();
  assert.equal(told().length, 4);
});

test("after a lost line the replay starts at what was seen, and what was not confirmed goes again with its id", async () => {
  const { connection, lines } = await started({ token: "t0" });
  lines[0].hears(bot(1, "hallo"));
  connection.say("ik slaap slecht");
  const [, first] = lines[0].sent;
  lines[0].close();
  await settle();
  mock.timers.tick(WAITS.firstRetry);
  await settle();
  assert.match(lines[1].url, /after=1$/);
  lines[1].open();
  lines[1].hears(ready);
  assert.ok(lines[1].sent.some((sent) => sent.id === first.id && sent.text === "ik slaap slecht"));
});

test("a line that confirms nothing is opened anew", async () => {
  const { connection, lines } = await started({ token: "t0" });
  connection.say("hallo?");
  mock.timers.tick(WAITS.confirmation);
  await settle();
  assert.equal(lines[0].readyState, 3);
});

test("when no WebSocket opens, messages travel by plain requests", async () => {
  const stored = [];
  const answer = (request) => {
    if (request.path === "messages" && request.method === "POST") {
      stored.push({ ...bot(1, request.body.text), role: "user", id: request.body.id }, bot(2, "dag"));
    }
    return [200, { messages: stored, remember: false }];
  };
  const { connection, lines, requests } = setUp({ token: "t0", answer });
  connection.say("hallo");
  connection.start();
  await settle();
  lines[0].close();
  await settle();
  await settle();
  assert.equal(connection.status, "online");
  assert.equal(requests.filter((request) => request.method === "POST").length, 1);
  assert.deepEqual(connection.timeline.messages.map((message) => message.seq), [1, 2]);
  assert.equal(connection.timeline.unsent.length, 0);
});

test("without a network it says so, keeps what was typed and tries again", async () => {
  const answer = () => Promise.reject(new TypeError("no network"));
  const { connection, tab, requests } = setUp({ token: "t0", answer });
  connection.start();
  connection.networkChanged(false);
  connection.say("hallo");
  assert.equal(connection.status, "offline");
  assert.match(tab.getItem("ademruimte.unsent"), /hallo/);
  assert.equal(requests.length, 0);
});

test("a token that is no longer known starts a new conversation and takes along what was typed", async () => {
  const answer = (request) =>
    request.token === "Bearer old" ? [401, { error: "unknown_token", message: "…" }] : [201, { token: "new" }];
  const { connection, lines, tab } = setUp({ token: "old", answer });
  connection.start();
  connection.say("ben je daar?");
  lines[0].close();
  await settle();
  assert.equal(tab.getItem("ademruimte.token"), "new");
  assert.ok(connection.notice);
  lines[1].open();
  lines[1].hears(ready);
  assert.deepEqual(lines[1].sent.map((sent) => sent.payload ?? sent.text), ["/greet", "ben je daar?"]);
});

test("a refused message stays visible with its reason and is not sent again", async () => {
  const { connection, lines } = await started({ token: "t0" });
  connection.say("x".repeat(10));
  const id = lines[0].sent.at(-1).id;
  lines[0].hears({ type: "error", id, error: "too_long", message: "Dat is te lang." });
  assert.equal(connection.timeline.unsent.find((out) => out.id === id).refused, "Dat is te lang.");
  connection.say("korter");
  assert.equal(lines[0].sent.filter((sent) => sent.id === id).length, 1);
});

test("the token leaves the tab only when the person agreed, and comes back when they no longer do", async () => {
  const { lines, tab, device } = await started({ token: "t0" });
  lines[0].hears({ type: "session", remember: true });
  assert.deepEqual([tab.getItem("ademruimte.token"), device.getItem("ademruimte.token")], [null, "t0"]);
  lines[0].hears({ type: "session", remember: false });
  assert.deepEqual([tab.getItem("ademruimte.token"), device.getItem("ademruimte.token")], ["t0", null]);
});

test("after the end nothing is written or drawn any more", async () => {
  const { connection, keeper, lines, tab, news } = await started({ token: "t0" });
  connection.stop();
  keeper.clear();
  connection.say("te laat");
  lines[0].hears(bot(5, "te laat"));
  assert.equal(tab.values.size, 0);
  assert.equal(news.length, 0);
});

test("old messages at the first load are no news, what is missed later is", async () => {
  const { connection, lines, news } = setUp({ token: "t0" });
  connection.start();
  await settle();
  lines[0].open();
  lines[0].hears(bot(1, "oud"));
  lines[0].hears(ready);
  lines[0].hears(bot(2, "nieuw"));
  assert.deepEqual(news.map((message) => message.seq), [2]);
});

test("waits between tries grow, stay bounded and are spread", () => {
  assert.ok(backOff(0, 0) >= WAITS.firstRetry / 2);
  assert.equal(backOff(50, 1), WAITS.longestRetry);
  assert.notEqual(backOff(4, 0.1), backOff(4, 0.9));
});
