import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { openWithCode } from "../node_modules/.ademruimte-test/connection.js";
import { problemInWords } from "../node_modules/.ademruimte-test/http.js";
import { WAITS } from "../node_modules/.ademruimte-test/waits.js";
import { bot, coach, setUp, settle, useFakeTime } from "./support.js";

beforeEach(useFakeTime);
afterEach(() => mock.timers.reset());

const ready = { type: "session", remember: false };
const ilse = { type: "owner", owner: "coach", name: "Ilse" };
const assistant = { type: "owner", owner: "bot", name: null };

async function connected(...replayed) {
  const all = setUp({ token: "t0" });
  all.connection.start();
  await settle();
  const [line] = all.lines;
  line.open();
  for (const message of replayed) line.hears(message);
  line.hears(ready);
  line.sent.length = 0;
  return { ...all, line };
}

const sentOf = (line, type) => line.sent.filter((event) => event.type === type);

test("who answers follows what the socket says", async () => {
  const { connection, line } = await connected(bot(1, "hallo"));
  assert.equal(connection.owner.who, "bot");
  line.hears({ type: "owner", owner: "queue", name: null });
  assert.equal(connection.owner.who, "queue");
  line.hears(ilse);
  assert.deepEqual(connection.owner, { who: "coach", name: "Ilse" });
  line.hears(coach(2, "Dag"));
  line.hears(assistant);
  assert.equal(connection.owner.who, "bot");
});

test("a lost line does not make a coach into a program, a new line that names nobody does", async () => {
  const { connection, lines, line } = await connected(bot(1, "hallo"));
  line.hears(ilse);
  line.close();
  await settle();
  assert.equal(connection.owner.who, "coach");
  mock.timers.tick(WAITS.firstRetry);
  await settle();
  lines[1].open();
  lines[1].hears(ready);
  assert.equal(connection.owner.who, "coach");
  mock.timers.tick(WAITS.owner);
  assert.equal(connection.owner.who, "bot");
});

test("over plain requests the newest words tell who answers, and nobody claims that a coach types", async () => {
  const messages = [bot(1, "hallo"), coach(2, "Dag")];
  const typing = [];
  const { connection, lines } = setUp({
    token: "t0",
    answer: (request) => {
      typing.push(connection.typing);
      return [200, { messages: request.method === "GET" ? messages : [], remember: false }];
    },
  });
  connection.start();
  await settle();
  lines[0].close();
  await settle();
  assert.deepEqual(connection.owner, { who: "coach", name: "Ilse, coach" });
  connection.say("Dag Ilse");
  await settle();
  assert.ok(!typing.includes(true));
  connection.presence.types();
  connection.presence.sees(2);
  assert.deepEqual(lines[0].sent, []);
});

test("only a coach hears that the person types, at most every 3 seconds", async () => {
  const { connection, line, clock } = await connected(bot(1, "hallo"));
  const { presence } = connection;
  presence.types();
  assert.equal(sentOf(line, "typing").length, 0);
  line.hears(ilse);
  for (let tick = 0; tick <= 6000; tick += 500) {
    presence.types();
    clock.now += 500;
  }
  assert.deepEqual(sentOf(line, "typing"), [{ type: "typing" }, { type: "typing" }, { type: "typing" }]);
  line.hears(assistant);
  clock.now += 60_000;
  presence.types();
  assert.equal(sentOf(line, "typing").length, 3);
});

test("what was read is told once, highest number only, at most once a second", async () => {
  const { connection, line } = await connected(coach(1, "a"), coach(2, "b"), coach(3, "c"), coach(4, "d"));
  const { presence } = connection;
  for (const seq of [0, 1, 1, 3, 2]) presence.sees(seq);
  assert.deepEqual(sentOf(line, "seen"), [{ type: "seen", seq: 1 }]);
  mock.timers.tick(WAITS.tellSeen);
  assert.deepEqual(sentOf(line, "seen").at(-1), { type: "seen", seq: 3 });
  mock.timers.tick(5 * WAITS.tellSeen);
  presence.sees(3);
  assert.equal(sentOf(line, "seen").length, 2);
});

test("what was read before the line was ready is told when it is", async () => {
  const { connection, lines } = setUp({ token: "t0" });
  connection.start();
  await settle();
  lines[0].open();
  lines[0].hears(coach(1, "Dag"));
  connection.presence.sees(1);
  assert.equal(lines[0].sent.length, 0);
  lines[0].hears(ready);
  assert.deepEqual(sentOf(lines[0], "seen"), [{ type: "seen", seq: 1 }]);
});

test("the sign of typing is of who it was: a change of owner ends it", async () => {
  const { connection, line } = await connected(bot(1, "hallo"));
  line.hears({ type: "typing", on: true });
  assert.ok(connection.typing);
  line.hears(ilse);
  assert.ok(!connection.typing);
  line.hears({ type: "typing", on: true });
  assert.ok(connection.typing);
});

test("after a long silence the assistant greets, but not in a talk with a coach", async () => {
  const old = (message) => ({ ...message, at: "2026-11-22T04:00:00Z" });
  const one = await connected(old(bot(1, "hallo")), old(coach(2, "Dag")));
  one.line.hears(ilse);
  mock.timers.tick(WAITS.owner * 2);
  assert.equal(one.line.sent.length, 0);
  const other = await connected(old(bot(1, "hallo")));
  mock.timers.tick(WAITS.owner);
  assert.deepEqual(other.line.sent.map((sent) => sent.payload), ["/greet"]);
});

test("a code is asked for with the session, and belongs to nobody once the conversation is closed", async () => {
  const answer = (request) => [201, { code: "1234 5678 9012 3456", messages: [], path: request.path }];
  const { connection, requests, tab, device } = setUp({ token: "t0", answer });
  connection.start();
  assert.equal(await connection.newCode(), "1234 5678 9012 3456");
  const asked = requests.find((request) => request.path === "code");
  assert.deepEqual([asked.method, asked.token, asked.body], ["POST", "Bearer t0", {}]);
  assert.ok(![...tab.values.values(), ...device.values.values()].join().includes("1234"));
  const late = connection.newCode();
  connection.stop();
  await assert.rejects(late);
});

test("who comes with a code says nothing else: no token, no cookie", async () => {
  const { requests, world } = setUp({ token: "t0", answer: () => [201, { token: "other" }] });
  assert.equal(await openWithCode("http://here", "1234 5678 9012 3456", world), "other");
  const [{ path, method, token, body, init }] = requests;
  assert.deepEqual([path, method, token, body], ["return", "POST", null, { code: "1234 5678 9012 3456" }]);
  assert.equal(init.credentials, "omit");
});

test("a wrong code, too many tries and no network each have their words", async () => {
  const told = async (answer) => {
    const { world } = setUp({ answer });
    return openWithCode("http://here", "1", world).then(assert.fail, problemInWords);
  };
  assert.equal(await told(() => [404, { error: "wrong_code", message: "Deze code ken ik niet." }]), "Deze code ken ik niet.");
  assert.match(await told(() => [429, { error: "rate_limited", message: "…", retryAfter: 40 }]), /over 40 seconden/);
  assert.match(await told(() => [429, { error: "rate_limited", message: "…", retryAfter: 400 }]), /over 7 minuten/);
  assert.match(await told(() => Promise.reject(new TypeError("no network"))), /geen verbinding/);
});

test("a token that came by a code stays in its tab, whatever was chosen elsewhere", () => {
  const { keeper, tab, device } = setUp({ token: "t0" });
  keeper.setRemember(true);
  keeper.saveUnsent([{ id: "c1", text: "nog niet verstuurd" }]);
  keeper.enter("by-code", 1_000);
  keeper.setRemember(true);
  assert.deepEqual([keeper.token(), device.values.size, keeper.unsent()], ["by-code", 0, []]);
  assert.equal(keeper.codeShown(), 1_000);
  keeper.clear();
  assert.equal(tab.values.size, 0);
});

test("that a code was shown goes where the token goes", () => {
  const { keeper, tab, device } = setUp({ token: "t0" });
  assert.equal(keeper.codeShown(), 0);
  keeper.saveCodeShown(5_000);
  keeper.setRemember(true);
  assert.deepEqual([keeper.codeShown(), tab.values.size, device.values.size], [5_000, 0, 2]);
  keeper.forgetToken();
  assert.deepEqual([keeper.codeShown(), device.values.size], [0, 0]);
});
