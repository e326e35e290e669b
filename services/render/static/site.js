// What an open page can do that paper cannot: hear of updates, offer them, and put them in without losing the
// reader's place. Without this script everything is there after a reload.

import { start, stop, wake } from "./listening.js";
import { content, renew } from "./morphing.js";

const OFFER_EVERY_MS = 5_000;
const ANNOUNCE_EVERY_MS = 20_000;
const TRIES_MS = [400, 2_000];
const TICK_MS = 60_000;
const ASLEEP_MS = 150_000; // a page in the background still ticks every minute
const STORED_SWITCH = "live-updates";
const AWAY = "away"; // the server does not answer for now

const TONES = {
  breaking: "breaking",
  correction: "correction",
  clarification: "correction",
  editors_note: "correction",
  retraction: "breaking",
  withdrawn: "breaking",
};
const NEVER_WAIT = new Set(["correction", "clarification", "editors_note", "retraction"]);

const find = (name) => document.querySelector(`[data-${name}]`);
const status = find("status");
const offer = find("offer");
const show = find("offer-show");
const toggle = find("live-switch");
const { article: articleId, newest } = document.body.dataset; // `newest`: where a page of older posts leads on
const language = document.documentElement.lang;
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const pluralRules = new Intl.PluralRules(language);
const ownTitle = () => document.title.replace(/^\(\d+\) /, "");

let shown = content(document); // what stands on the page, as the server wrote it
let revision = Number(document.body.dataset.revision ?? 0);
let heard = new Map(); // notices not yet shown: by article and revision
let fetched = null; // the page that is on offer
let gone = false; // the page no longer stands at its address
let due = false; // the page is to be looked at once the reader is back
let told = ""; // the offer as it is read out
let lastUrgent = ""; // the correction that was read out last

const listener = { articleId, revision: () => revision, hear, look: () => look() };

function hear(notice) {
  if (articleId && notice.revision <= revision) return;
  heard.set(keyOf(notice), notice);
  if (articleId) count(); // whether a listing shows it is not known yet
  lookSoon(NEVER_WAIT.has(notice.kind));
}

function keyOf(notice) {
  return `${notice.article_id}/${notice.revision}`;
}

// Calls once at first or where it may not wait, then at most once in a while; a call in between is made up for when
// the while is over.
function paced(action, everyMs) {
  let timer = 0;
  let again = false;
  const run = () => {
    again = false;
    clearTimeout(timer);
    timer = setTimeout(() => { timer = 0; if (again) run(); }, everyMs);
    action();
  };
  return (isUrgent) => { if (timer && !isUrgent) again = true; else run(); };
}

// --- The offer ------------------------------------------------------------------------------------------------

const lookSoon = paced(() => look(), OFFER_EVERY_MS);
const announceSoon = paced(() => { if (!offer.hidden) status.textContent = told; }, ANNOUNCE_EVERY_MS);

// Fetch the page and offer it if it says something new. A listing may follow its articles a moment later.
async function look(tries = TRIES_MS) {
  due = document.hidden;
  if (due || gone) return;
  const page = await load();
  if (page === AWAY) return setTimeout(lookSoon, OFFER_EVERY_MS * (1 + 3 * Math.random()));
  if (!page) return withdraw();
  const isNew = revision ? page.revision > revision : page.content !== shown;
  if (isNew || (newest && heard.size)) propose(isNew ? page : null);
  else if (heard.size && tries.length) setTimeout(() => look(tries.slice(1)), tries[0]);
  else if (heard.size) settle();
}

// The page that stands at our address now, or null where none does.
async function load() {
  try {
    const response = await fetch(location.pathname, { cache: "no-cache", headers: { Accept: "text/html" } });
    if (response.status === 404 || response.status === 410) return null;
    if (!response.ok) return AWAY;
    const doc = new DOMParser().parseFromString(await response.text(), "text/html");
    return { doc, content: content(doc), revision: Number(doc.body.dataset.revision ?? 0), url: response.url };
  } catch {
    return AWAY;
  }
}

// Offer a page, or where there is none the way to the newest posts.
function propose(page) {
  fetched = page;
  count();
  const notice = latest();
  const note = notice ? notice.note ?? notice.headline : page ? words.changed : words.withdrawn;
  const isLive = articleId && heard.size && [...heard.values()].every(({ kind }) => kind === "live_entry");
  const number = heard.size || 1;
  const what = plural(isLive ? "entries" : articleId || number > 1 ? "updates" : "stories", number);
  say(notice?.kind ?? (page ? "update" : "withdrawn"), note, fill(page ? words.show : words.newest, { what }));
  const isUrgent = NEVER_WAIT.has(notice?.kind) && keyOf(notice) !== lastUrgent;
  if (isUrgent) lastUrgent = keyOf(notice);
  announceSoon(isUrgent);
}

function latest() {
  const notices = [...heard.values()];
  return notices.findLast((notice) => NEVER_WAIT.has(notice.kind)) ?? notices.at(-1);
}

function say(kind, note, button) {
  const label = document.createElement("span");
  label.className = "label";
  label.textContent = words.kinds[kind];
  const text = document.createElement("bdi"); // it is in the article's language
  text.textContent = note;
  find("offer-text").replaceChildren(label, " ", text);
  told = fill(words.told, { label: words.kinds[kind], note });
  if (heard.size > 1) told = `${plural("updates", heard.size)}. ${told}`;
  show.textContent = button;
  offer.className = `offer ${TONES[kind] ?? "notice"}`;
  offer.hidden = false;
}

function withdraw() {
  if (newest) return propose(null); // the article itself says what became of its posts, and a notice may yet tell why
  gone = true;
  fetched = null;
  stop();
  heard.clear();
  count();
  say("withdrawn", words.withdrawn, words.reload);
  announceSoon(true);
}

function fill(text, values) {
  return text.replace(/{(\w+)}/g, (_, name) => values[name]);
}

function plural(name, n) {
  return fill(words[name][pluralRules.select(n)] ?? words[name].other, { n });
}

function count() {
  document.title = heard.size ? `(${heard.size}) ${ownTitle()}` : ownTitle();
}

// Nothing is on offer any more; what was told of a later revision than the one shown waits for its own.
function settle() {
  heard = new Map([...heard].filter(([, notice]) => revision && fetched && notice.revision > revision));
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
  if (gone) location.reload();
  else if (fetched) put(fetched);
  else location.assign(newest);
});

function put(page) {
  const focused = document.activeElement === show ? focusBefore : document.activeElement;
  renew(page.doc, focused, () => {
    Object.assign(document.body.dataset, page.doc.body.dataset);
    document.title = page.doc.title;
    if (page.url && new URL(page.url).pathname !== location.pathname) history.replaceState(null, "", page.url);
    ({ content: shown, revision } = page);
    settle();
    ages();
  });
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
  if (gone) return;
  if (on) return start(listener);
  stop();
  settle();
}

toggle?.addEventListener("click", () => {
  const on = toggle.getAttribute("aria-checked") !== "true";
  try {
    localStorage.setItem(STORED_SWITCH, on ? "on" : "off");
  } catch { /* not kept: it holds for this page alone */ }
  setSwitch(on);
});

// --- Times, and the page's own coming and going -------------------------------------------------------------------

// Adds how long ago to times of the last day.
function ages() {
  const format = new Intl.RelativeTimeFormat(language, { style: "short", numeric: "auto" });
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const minutes = Math.round((Date.now() - Date.parse(time.dateTime)) / 60_000);
    if (minutes < 0 || minutes >= 1_440) time.removeAttribute("data-ago");
    else time.dataset.ago = minutes < 60 ? format.format(-minutes, "minute") : format.format(-Math.floor(minutes / 60), "hour");
  }
}

let lastTick = Date.now();
function tick() {
  const wasAsleep = Date.now() - lastTick > ASLEEP_MS;
  lastTick = Date.now();
  ages();
  if (wasAsleep) wake(true);
}

ages();
setInterval(tick, TICK_MS);

if (toggle) {
  toggle.closest("[data-live-controls]").hidden = false;
  setSwitch(isOn());
  addEventListener("storage", (event) => { if (event.key === STORED_SWITCH) setSwitch(isOn()); });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) setSwitch(isOn()); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    wake(false);
    if (due) look();
  });
}
