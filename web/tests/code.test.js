import assert from "node:assert/strict";
import { test } from "node:test";

import { digitsOf, grouped, halves, spelled, tidied, waitInWords } from "../node_modules/.ademruimte-test/code.js";

test("spaces come by themselves while typing, and pasted dashes and spaces do no harm", () => {
  let field = { shown: "", caret: 0 };
  for (const key of "123456789") {
    const typed = field.shown.slice(0, field.caret) + key + field.shown.slice(field.caret);
    field = tidied(typed, field.caret + 1);
  }
  assert.deepEqual(field, { shown: "1234 5678 9", caret: 11 });
  for (const pasted of ["1234-5678-9012-3456", " 1234 5678\t9012  3456\n", "1234567890123456"]) {
    assert.deepEqual(tidied(pasted, pasted.length), { shown: "1234 5678 9012 3456", caret: 19 });
  }
});

test("the caret stays behind the same digit when something changes in the middle", () => {
  assert.deepEqual(tidied("12934 5678", 3), { shown: "1293 4567 8", caret: 3 });
  assert.deepEqual(tidied("124 5678", 2), { shown: "1245 678", caret: 2 });
});

test("deleting goes on over a space", () => {
  const gone = tidied("12345", 4); // the space after the 4 was deleted
  assert.deepEqual(gone, { shown: "1234 5", caret: 4 });
  assert.deepEqual(tidied("123 5", 3), { shown: "1235", caret: 3 });
});

test("a digit too many can be seen, a page of digits not", () => {
  assert.equal(digitsOf("12345678901234567").length, 17);
  assert.equal(digitsOf("1".repeat(500)).length, 20);
  assert.equal(digitsOf("geen code"), "");
  assert.equal(grouped(""), "");
});

test("a code breaks in the middle or not at all", () => {
  assert.deepEqual(halves("1234 5678 9012 3456"), ["1234 5678", "9012 3456"]);
});

test("who listens hears digit by digit", () => {
  assert.equal(spelled("1234 5678 9012 3456"), "1 2 3 4, 5 6 7 8, 9 0 1 2, 3 4 5 6");
});

test("waits are said in seconds, longer ones in minutes", () => {
  assert.deepEqual([0, 1000, 1001, 90_000, 91_000, 180_000].map(waitInWords), [
    "1 seconde",
    "1 seconde",
    "2 seconden",
    "90 seconden",
    "2 minuten",
    "3 minuten",
  ]);
});
