// What an open page can do that paper cannot: hear of updates, offer them, and put them in without losing the
// reader's place. Without this script everything is there after a reload.

const OFFER_EVERY_MS = 5_000;
const ANNOUNCE_EVERY_MS = 20_000;
const TRIES_MS = [400, 2_000];
const RECONNECT_FIRST_MS = 2_000;
const RECONNECT_MOST_MS = 60_000;
const ANCHORS = 60;
const FRESH_MS = 7_000;
const STORED_SWITCH = "live-updates";
const LARGEST_ALIGNMENT = 250_000;

const KINDS = {
  breaking: ["Breaking", "breaking"],
  published: ["New", "notice"],
  update: ["Update", "notice"],
  correction: ["Correction", "correction"],
  clarification: ["Clarification", "correction"],
  editors_note: ["Editor’s note", "correction"],
  retraction: ["Retraction", "breaking"],
  live_entry: ["Live", "notice"],
};
const NEVER_WAIT = new Set(["correction", "clarification", "editors_note", "retraction"]);

const find = (name, root = document) => root.querySelector(`[data-${name}]`);
const parts = (root) => [...root.querySelectorAll("main [data-part]")];
const status = find("status");
const offer = find("offer");
const show = find("offer-show");
const toggle = find("live-switch");
const articleId = document.body.dataset.article;
const ownTitle = () => document.title.replace(/^\(\d+\) /, "");

let shown = content(document); // what stands on the page, as the server wrote it
let revision = Number(document.body.dataset.revision ?? 0);
let heard = new Map(); // notices not yet shown: by article and revision
let fetched = null; // the page that is on offer
let gone = false; // the page no longer stands at its address
let due = false; // the page is to be looked at once the reader is back
let wasAway = false; // something may have been told while nobody listened
let told = ""; // the offer as it is read out
let lastUrgent = null; // the correction that was read out last
let source = null;
let reconnectMs = RECONNECT_FIRST_MS;
let reconnectTimer = 0;

// --- The stream -----------------------------------------------------------------------------------------------

function listen() {
  if (source || gone || !isOn()) return;
  source = new EventSource(articleId ? `/live/${articleId}?revision=${revision}` : "/live");
  source.addEventListener("open", () => {
    reconnectMs = RECONNECT_FIRST_MS;
    if (wasAway && !articleId) look(); // an article's stream goes on from its revision, a listing has none
    wasAway = false;
  });
  source.addEventListener("notice", (event) => hear(JSON.parse(event.data)));
  source.addEventListener("reset", () => look());
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) reconnect(); // refused: the browser itself does not come back
  });
}

function reconnect() {
  hush();
  reconnectTimer = setTimeout(listen, reconnectMs * (0.5 + Math.random()));
  reconnectMs = Math.min(reconnectMs * 2, RECONNECT_MOST_MS);
}

function hush() {
  clearTimeout(reconnectTimer);
  source?.close();
  source = null;
  wasAway = true;
}

function hear(notice) {
  if (articleId && notice.revision <= revision) return;
  heard.set(`${notice.article_id}/${notice.revision}`, notice);
  if (articleId) count(); // whether a listing shows it is not known yet
  if (NEVER_WAIT.has(notice.kind)) look();
  else lookSoon();
}

// Calls once at first, then at most once in a while; a call in between is made up for when the while is over.
function paced(action, everyMs) {
  let timer = 0;
  let again = false;
  const run = () => {
    again = false;
    timer = setTimeout(() => { timer = 0; if (again) run(); }, everyMs);
    action();
  };
  return () => { if (timer) again = true; else run(); };
}

// --- The offer ------------------------------------------------------------------------------------------------

const lookSoon = paced(() => look(), OFFER_EVERY_MS);
const announceSoon = paced(() => announce(), ANNOUNCE_EVERY_MS);

// Fetch the page and offer it if it says something new. A listing may follow its articles a moment later.
async function look(tries = TRIES_MS) {
  due = document.hidden;
  if (due || gone) return;
  const page = await load();
  if (!page) return gone ? null : setTimeout(lookSoon, OFFER_EVERY_MS);
  const isNew = articleId ? page.revision > revision : page.content !== shown;
  if (isNew) return propose(page);
  if (heard.size && tries.length) setTimeout(() => look(tries.slice(1)), tries[0]);
  else if (heard.size) settle();
}

async function load() {
  try {
    const response = await fetch(location.pathname, { cache: "no-cache", headers: { Accept: "text/html" } });
    if (response.status === 404 || response.status === 410) return void withdraw();
    if (!response.ok) return null;
    const doc = new DOMParser().parseFromString(await response.text(), "text/html");
    return { doc, content: content(doc), revision: Number(doc.body.dataset.revision ?? 0), url: response.url };
  } catch {
    return null; // away for now
  }
}

function propose(page) {
  fetched = page;
  count();
  const notice = latest();
  const [label, tone] = KINDS[notice?.kind] ?? KINDS.update;
  const number = heard.size || 1;
  const isLive = articleId && number === [...heard.values()].filter(({ kind }) => kind === "live_entry").length;
  const what = isLive ? (number > 1 ? `${number} entries` : "1 entry")
    : articleId || number > 1 ? plural(number, "update") : "1 new";
  say(label, notice ? notice.note ?? notice.headline : "This page has changed.", tone, `${what} · show`);
  const isUrgent = NEVER_WAIT.has(notice?.kind) && notice !== lastUrgent;
  if (!isUrgent) return announceSoon();
  lastUrgent = notice;
  announce();
}

function latest() {
  const notices = [...heard.values()];
  return notices.findLast((notice) => NEVER_WAIT.has(notice.kind)) ?? notices.at(-1);
}

function say(label, note, tone, button) {
  const name = document.createElement("span");
  name.className = "label";
  name.textContent = label;
  find("offer-text").replaceChildren(name, ` ${note}`);
  told = (heard.size > 1 ? `${plural(heard.size, "update")}. ` : "") + `${label}: ${note}`;
  show.textContent = button;
  offer.className = `offer ${tone}`;
  offer.hidden = false;
}

function announce() {
  if (!offer.hidden) status.textContent = told;
}

function withdraw() {
  gone = true;
  fetched = null;
  hush();
  heard.clear();
  count();
  say("Taken down", "This article is no longer public.", "breaking", "Reload");
  announce();
}

function plural(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function count() {
  document.title = heard.size ? `(${heard.size}) ${ownTitle()}` : ownTitle();
}

// Nothing is on offer any more; what was told of a later revision than the one shown waits for its own.
function settle() {
  heard = new Map([...heard].filter(([, notice]) => articleId && fetched && notice.revision > revision));
  fetched = null;
  offer.hidden = true;
  status.textContent = "";
  count();
}

// --- Putting the new text in ------------------------------------------------------------------------------------

let focusBefore = null;
offer?.addEventListener("mousedown", (event) => event.preventDefault()); // a click takes the focus from nobody
show?.addEventListener("focus", (event) => { focusBefore = event.relatedTarget; });
show?.addEventListener("click", () => {
  if (gone) return location.reload();
  if (fetched) put(fetched);
});

function put(page) {
  const focused = document.activeElement === show ? focusBefore : document.activeElement;
  const place = anchors(focused);
  const news = [];
  unmark(document.querySelectorAll(".fresh"));
  const fresh = new Map(parts(page.doc).map((part) => [part.dataset.part, part]));
  for (const part of parts(document)) {
    const other = fresh.get(part.dataset.part);
    if (other) morph(part, document.importNode(other, true), news);
  }
  for (const name of Object.keys(page.doc.body.dataset)) document.body.dataset[name] = page.doc.body.dataset[name];
  document.title = page.doc.title;
  if (page.url && new URL(page.url).pathname !== location.pathname) history.replaceState(null, "", page.url);
  ({ content: shown, revision } = page);
  settle();
  ages();
  hold(place);
  if (focused && focused !== document.body) {
    (focused.isConnected ? focused : document.getElementById("main")).focus({ preventScroll: true });
  }
  for (const element of news) element.classList.add("fresh");
  setTimeout(unmark, FRESH_MS, news);
}

function unmark(elements) {
  for (const element of elements) {
    element.classList.remove("fresh");
    if (!element.className) element.removeAttribute("class");
  }
}

// Where the reader is: the block with the focus if it is on the screen, then those from the screen's top on,
// each with its place. The first that stays is held there.
function anchors(focused) {
  const found = [];
  for (const element of document.querySelectorAll("main :is(h1, h2, h3, p, li, blockquote, pre, tr, figure)")) {
    const box = element.getBoundingClientRect();
    if (box.bottom <= 0 || !box.height) continue;
    const anchor = [element, box.top, element.textContent];
    if (box.top < innerHeight && element.contains(focused)) found.unshift(anchor);
    else found.push(anchor);
    if (found.length >= ANCHORS) break;
  }
  return found;
}

function hold(place) {
  const staying = place.filter(([element]) => element.isConnected);
  const [element, top] = staying.find(([element, , text]) => element.textContent === text) ?? staying[0] ?? [];
  const moved = element ? element.getBoundingClientRect().top - top : 0;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}

// Make an element like another one of its kind, touching only what differs, so that focus, selection and
// the reader's place stay where nothing changed. What is new goes onto `news`.
function morph(old, fresh, news) {
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  const kept = align(before.map(key), after.map(key));
  let place = 0; // what stands before it in `before` is done
  let done = 0;
  for (const [from, to] of [...kept, [before.length, after.length]]) {
    gap(old, before.slice(place, from), after.slice(done, to), before[from] ?? null, news);
    [place, done] = [from + 1, to + 1];
  }
}

// A run of nodes that differ: those that are versions of each other are made alike, the rest goes or comes.
function gap(parent, before, after, end, news) {
  const left = [...before];
  for (const node of after) {
    const index = left.findIndex((other) => isKin(other, node));
    const mate = index < 0 ? null : left[index];
    for (const dropped of left.splice(0, mate ? index + 1 : 0)) if (dropped !== mate) dropped.remove();
    if (!mate) {
      parent.insertBefore(node, left[0] ?? end);
      if (node.nodeType === Node.ELEMENT_NODE) news.push(node);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      const text = mate.textContent;
      morph(mate, node, isBlock(mate) ? [] : news);
      if (isBlock(mate) && mate.textContent !== text) news.push(mate);
    } else mate.data = node.data;
  }
  for (const dropped of left) dropped.remove();
}

function isKin(one, other) {
  if (one.nodeName !== other.nodeName || one.className !== other.className || one.id !== other.id) return false;
  return !isBlock(one) || likeness(one.textContent, other.textContent) >= 0.5;
}

function isBlock(node) {
  return /^(P|LI|H[1-6]|TR|PRE|FIGCAPTION)$/.test(node.nodeName);
}

// How much of the longer of two texts is the same at its beginning and its end, from 0 to 1.
function likeness(one, other) {
  const shorter = Math.min(one.length, other.length);
  let same = 0;
  while (same < shorter && one[same] === other[same]) same++;
  let end = 0;
  while (end < shorter - same && one.at(-1 - end) === other.at(-1 - end)) end++;
  return (same + end) / Math.max(one.length, other.length, 1);
}

function key(node) {
  return node.nodeType === Node.ELEMENT_NODE ? tidy(node.outerHTML) : `#${node.data}`;
}

function tidy(html) {
  return html.replace(/ data-ago="[^"]*"/g, "");
}

function content(root) {
  return tidy(parts(root).map((part) => part.innerHTML).join("\n"));
}

// The pairs of equal keys that a longest common subsequence keeps, as [index in `one`, index in `other`].
function align(one, other) {
  const [head, middle, tail] = [[], [], []];
  let start = 0;
  while (start < Math.min(one.length, other.length) && one[start] === other[start]) head.push([start, start++]);
  let [end, otherEnd] = [one.length, other.length];
  while (end > start && otherEnd > start && one[end - 1] === other[otherEnd - 1]) tail.unshift([--end, --otherEnd]);
  const [rows, columns] = [end - start, otherEnd - start];
  if (rows * columns > LARGEST_ALIGNMENT) return [...head, ...tail];
  const lengths = Array.from({ length: rows + 1 }, () => new Uint32Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i][j] = one[start + i] === other[start + j]
        ? lengths[i + 1][j + 1] + 1
        : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (one[start + i] === other[start + j]) middle.push([start + i++, start + j++]);
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return [...head, ...middle, ...tail];
}

// --- The switch -------------------------------------------------------------------------------------------------

function isOn() {
  try {
    return localStorage.getItem(STORED_SWITCH) !== "off";
  } catch {
    return toggle.getAttribute("aria-checked") === "true";
  }
}

function setSwitch(on) {
  toggle.setAttribute("aria-checked", String(on));
  if (on) return listen();
  hush();
  if (!gone) settle();
}

toggle?.addEventListener("click", () => {
  const on = toggle.getAttribute("aria-checked") !== "true";
  try {
    localStorage.setItem(STORED_SWITCH, on ? "on" : "off");
  } catch { /* not kept: it holds for this page alone */ }
  setSwitch(on);
});
addEventListener("storage", (event) => { if (event.key === STORED_SWITCH && toggle) setSwitch(isOn()); });

// --- Times, and the page's own coming and going -------------------------------------------------------------------

// Adds how long ago to times of the last day.
function ages() {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const minutes = Math.round((Date.now() - Date.parse(time.dateTime)) / 60_000);
    if (minutes < 0 || minutes >= 1_440) time.removeAttribute("data-ago");
    else time.dataset.ago = minutes < 60 ? words.format(-minutes, "minute") : words.format(-Math.floor(minutes / 60), "hour");
  }
}

ages();
setInterval(ages, 60_000);

if (toggle) {
  toggle.closest("[data-live-controls]").hidden = false;
  toggle.setAttribute("aria-checked", String(isOn()));
  wasAway = !isOn();
  listen();
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && due) look(); });
}
