import assert from "node:assert/strict";
import { test } from "node:test";

import * as timeline from "../node_modules/.ademruimte-test/timeline.js";
import { bot, coach } from "./support.js";

const choices = { type: "quick_replies", choices: [{ title: "Ja", payload: "/affirm" }] };

test("a message that comes twice is there once, and order follows seq", () => {
  let state = timeline.emptyTimeline;
  for (const seq of [1, 3, 2, 3, 1]) state = timeline.receive(state, bot(seq, String(seq)));
  assert.deepEqual(state.messages.map((message) => message.seq), [1, 2, 3]);
  assert.equal(state.cursor, 3);
});

test("a gap keeps the replay point before it until the server says that was all", () => {
  let state = timeline.receive(timeline.emptyTimeline, bot(1, "a"));
  state = timeline.receive(state, bot(4, "d"));
  assert.equal(state.cursor, 1);
  assert.ok(timeline.hasGap(state));
  assert.equal(timeline.caughtUp(state).cursor, 4);
});

test("what waits keeps its place and its key when the server confirms it, whichever way it does", () => {
  const out = { id: "c1", text: "hallo" };
  const waiting = timeline.enqueue(timeline.emptyTimeline, out);
  assert.equal(timeline.entries(waiting)[0].state, "waiting");
  let confirmed = timeline.acknowledge(waiting, "c1", 1, "2026-11-23T04:00:00Z");
  confirmed = timeline.receive(confirmed, { ...bot(1, "hallo"), role: "user", id: "c1" });
  const drawn = timeline.entries(confirmed);
  assert.equal(drawn.length, 1);
  assert.deepEqual([drawn[0].key, drawn[0].state], ["c1", "confirmed"]);
});

test("the first hello is never drawn", () => {
  const hello = { ...bot(1, "…"), role: "user", id: `${timeline.GREETING_PREFIX}x` };
  assert.equal(timeline.entries(timeline.receive(timeline.emptyTimeline, hello)).length, 0);
});

test("choices can be used until the person says something, also when a notice comes after them", () => {
  let state = timeline.receive(timeline.emptyTimeline, { ...bot(1, "a"), parts: [choices] });
  state = timeline.receive(state, { ...bot(2, "even geduld"), role: "system" });
  assert.equal(timeline.activeKey(timeline.entries(state)), "seq-1");
  state = timeline.enqueue(state, { id: "c1", text: "nee" });
  assert.equal(timeline.activeKey(timeline.entries(state)), null);
});

test("only the newest choices can be used", () => {
  let state = timeline.receive(timeline.emptyTimeline, { ...bot(1, "a"), parts: [choices] });
  state = timeline.receive(state, { ...bot(2, "b"), parts: [choices] });
  assert.equal(timeline.activeKey(timeline.entries(state)), "seq-2");
});

test("what a message says of now holds for a quarter of an hour", () => {
  const said = timeline.receive(timeline.emptyTimeline, { ...bot(1, "a"), at: "2026-11-23T04:00:00Z" });
  const [entry] = timeline.entries(said);
  assert.ok(timeline.isFresh(entry, Date.parse("2026-11-23T04:14:00Z")));
  assert.ok(!timeline.isFresh(entry, Date.parse("2026-11-23T04:16:00Z")));
  const [waiting] = timeline.entries(timeline.enqueue(timeline.emptyTimeline, { id: "c1", text: "hallo" }));
  assert.ok(!timeline.isFresh(waiting, 0));
});

const all = (...messages) => messages.reduce(timeline.receive, timeline.emptyTimeline);
const notice = (seq, ...parts) => ({ ...bot(seq, "…"), role: "system", parts });
const wayBack = { type: "quick_replies", choices: [{ title: "Terug", payload: "/back_to_assistant" }] };

test("what the assistant asked before a coach came stands open no more", () => {
  const asked = all({ ...bot(1, "a"), parts: [choices] }, coach(2, "Dag, ik ben Ilse."));
  assert.equal(timeline.activeKey(timeline.entries(asked)), null);
  const told = timeline.receive(asked, notice(3, wayBack));
  assert.equal(timeline.activeKey(timeline.entries(told)), "seq-3");
});

test("an entry of a coach says who wrote it", () => {
  const [entry] = timeline.entries(all(coach(1, "Dag")));
  assert.deepEqual([entry.role, entry.author, entry.seq], ["coach", "Ilse, coach", 1]);
});

test("without a socket, who spoke last has the conversation", () => {
  const text = { type: "text", text: "Het gesprek met Ilse is gestopt." };
  assert.deepEqual(timeline.ownerFrom(timeline.emptyTimeline), timeline.BOT);
  assert.equal(timeline.ownerFrom(all(bot(1, "a"))).who, "bot");
  assert.deepEqual(timeline.ownerFrom(all(bot(1, "a"), coach(2, "b"))), { who: "coach", name: "Ilse, coach" });
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), { ...bot(2, "b"), role: "user", id: "c1" })).who, "coach");
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), notice(2, text))).who, "bot");
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), bot(2, "b"))).who, "bot");
});

test("help lines or the way back in the middle of a talk with a coach do not end it", () => {
  const lines = { type: "help_lines", title: "Bel nu", lines: [] };
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), notice(2, lines))).who, "coach");
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), notice(2, wayBack))).who, "coach");
  assert.equal(timeline.ownerFrom(all(coach(1, "a"), notice(2, choices))).who, "bot");
});
