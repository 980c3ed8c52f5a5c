/**
 * Room: the coach desk in the browser. Live news, keys, and writing to a person; every page also works without it.
 * It knows the pages' ids and data-attributes, and holds nothing: what it shows comes from the server as HTML.
 */
"use strict";

{
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  document.documentElement.classList.add("js");

  // --- saying something to who sees and who hears the page ---

  function announce(words) {
    const place = find("#announce");
    if (!place) return;
    place.textContent = "";
    setTimeout(() => (place.textContent = words), 50); // the same words twice are heard twice
  }

  function lost(words) {
    const place = find("#lost");
    if (!place) return;
    place.hidden = !words;
    if (place.textContent !== words) place.textContent = words;
  }

  // --- live news ---

  const TYPING_SHOWN = 15_000; // after a lost connection no sign of typing may stay for ever

  function listen(element) {
    let source = null;
    let waiting = 0;
    let typing = 0;
    let open = Number(element.dataset.open ?? 0);
    const refresh = () => {
      clearTimeout(waiting); // several things that happened at once are fetched once
      waiting = setTimeout(() => htmx.trigger(element, "desk:refresh"), 30);
    };

    function start() {
      source = new EventSource(element.dataset.news);
      source.addEventListener("open", () => lost(""));
      source.addEventListener("error", () => {
        const over = source.readyState === EventSource.CLOSED;
        lost(over ? "Deze pagina krijgt geen nieuws meer. Laad ze opnieuw." : "Even geen verbinding. We proberen opnieuw.");
      });
      source.addEventListener("said", refresh);
      source.addEventListener("changed", (event) => {
        const now = Number(event.data);
        if (element.id === "rows") {
          if (now > open) announce("Nieuw dossier");
          open = now;
        }
        refresh();
      });
      source.addEventListener("typing", (event) => {
        const sign = find("#types");
        clearTimeout(typing);
        if (sign) sign.hidden = event.data !== "1";
        typing = setTimeout(() => find("#types")?.setAttribute("hidden", ""), TYPING_SHOWN);
      });
    }

    start();
    // A browser keeps six connections to one server: cases in tabs that nobody looks at must not use them up.
    if (element.id === "conversation") {
      document.addEventListener("visibilitychange", () => {
        source.close();
        if (!document.hidden) start();
      });
    }
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => event.persisted && start());
  }

  // --- the queue keeps its place when its rows are fetched anew ---

  const rows = () => all("#rows .case");
  const rowInUse = () => rows().findIndex((row) => row.contains(document.activeElement));
  let place = -1; // of the row that has the keyboard
  let held = null; // the row that must not move under somebody's finger, and where it stood

  function hold() {
    place = rowInUse();
    const start = find("#rows").getBoundingClientRect().top;
    const row = rows()[place] ?? (start < 0 ? rows().find((one) => one.getBoundingClientRect().bottom > 0) : null);
    held = row ? { id: find("a", row).id, top: row.getBoundingClientRect().top } : null;
  }

  function letGo() {
    if (place >= 0 && rowInUse() < 0 && document.activeElement === document.body) {
      focusRow(place); // someone else took the row that had the keyboard
    }
    const row = held && document.getElementById(held.id)?.closest(".case");
    if (row) scrollBy(0, row.getBoundingClientRect().top - held.top);
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id === "rows") hold();
    if (event.target.id === "conversation") keepEnd();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "rows") letGo();
    if (event.target.id === "conversation") showEnd();
  });

  function focusRow(number) {
    const found = rows();
    if (found.length) find(".case-name a", found[Math.max(0, Math.min(number, found.length - 1))]).focus();
  }

  // --- the conversation ---

  const newest = () => Number(all("#said .said-user").at(-1)?.dataset.seq ?? 0);
  let atEnd = true;
  let heard = 0;

  function keepEnd() {
    const box = find("#said");
    atEnd = !box || box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    heard = newest();
  }

  function showEnd() {
    const box = find("#said");
    if (box && atEnd) box.scrollTop = box.scrollHeight;
    if (newest() > heard) announce(`Nieuw bericht: ${all("#said .said-user").at(-1).innerText}`);
    heard = newest();
  }

  function write(form) {
    const box = find("textarea", form);
    const problem = find("#say-problem");
    let sent = null; // what the key belongs to: the same words again are the same message
    let told = 0;

    const newKey = () => {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      form.elements.key.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    };

    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (box.value.trim()) form.requestSubmit();
    });
    box.addEventListener("input", () => {
      if (Date.now() - told < 3000 || !box.value.trim()) return;
      told = Date.now();
      const headers = { "X-CSRF-Token": form.elements.csrf.value };
      fetch(form.dataset.typing, { method: "POST", headers }).catch(() => {}); // a sign that is lost is no matter
    });
    form.addEventListener("htmx:configRequest", (event) => {
      if (sent !== null && sent !== box.value) newKey();
      sent = box.value;
      event.detail.parameters.set("key", form.elements.key.value);
      atEnd = true;
    });
    form.addEventListener("htmx:afterRequest", (event) => {
      const { successful, xhr } = event.detail;
      if (successful) {
        if (box.value === sent) box.value = "";
        sent = null;
        told = 0;
        newKey();
      }
      problem.hidden = successful;
      const known = xhr.status >= 400 && xhr.status < 500 && xhr.responseText;
      problem.textContent = successful ? "" : known || "Niet verstuurd. Probeer het zo opnieuw.";
    });
  }

  function insertCanned(form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("select", form).selectedOptions[0].dataset.text;
      const box = find("#say-text");
      if (!text) return;
      const before = box.value.slice(0, box.selectionStart);
      const gap = before && !/\s$/.test(before) ? " " : "";
      box.setRangeText(gap + text, box.selectionStart, box.selectionEnd, "end");
      box.focus();
    });
  }

  // --- keys ---

  let afterG = 0;

  function claim() {
    const row = rows()[rowInUse()];
    const form = row ? find(".case-claim", row) : find("form.claim");
    form?.requestSubmit();
  }

  const KEYS = {
    j: () => focusRow(rowInUse() + 1),
    k: () => focusRow(rowInUse() - 1),
    c: claim,
    "/": () => find("#search")?.focus(),
    "?": () => find("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (event.key === "q" && Date.now() - afterG < 1500) {
      location.assign("/desk/");
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
    afterG = event.key === "g" ? Date.now() : 0;
  });

  // --- this page ---

  addEventListener("DOMContentLoaded", () => {
    all("[data-news]").forEach(listen);
    const say = find("#say");
    if (say) write(say);
    all("form.canned").forEach(insertCanned);
    all("[data-keys]").forEach((button) => button.addEventListener("click", KEYS["?"]));
    all("[data-print]").forEach((button) => button.addEventListener("click", () => print()));
    keepEnd();
    atEnd = true;
    showEnd();
  });
}
