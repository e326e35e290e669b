// Who listens for this page. A tab alone has a stream of its own, which goes on from the revision that the page
// carries. Of several tabs one leads: it holds a lock, streams the whole site's notices and passes them on, so that
// any number of tabs takes one connection. Where a stream is refused, the leader asks now and then for what was told.

const NAME = "live"; // of the lock and of the channel between the tabs
const FIRST_SIGN_MS = 10_000; // a stream says at once that it is there
const SILENCE_MS = 45_000; // and again every fifteen seconds
const ANSWER_MS = 3_000;
const RETRY_FIRST_MS = 2_000;
const RETRY_MOST_MS = 30_000;
const DOUBT_EVERY = 5; // of that many questions one makes every page look for itself

let page = null; // { articleId, revision(), hear(notice), look() } while it listens
let channel = null;
let turn = null; // our place in the queue for the lock
let release = null;
let isLeader = false;
let hasCompany = false;
let isDoubtful = true; // something may have been told while we did not follow
let place = ""; // the id of the last event that we know of
let source = null;
let isStreaming = false;
let timer = 0;
let retryMs = RETRY_FIRST_MS;
let polls = 0;
let polled = new Set();

export function start(listener) {
  if (page) return;
  page = listener;
  isDoubtful = true;
  if (!navigator.locks || !self.BroadcastChannel) return lead();
  channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => (data[0] === "hi" ? answer() : follow(...data));
  queue({});
  ask();
}

export function stop() {
  hush();
  page = null;
  isLeader = hasCompany = false;
  turn?.abort();
  turn = null;
  release?.();
  channel?.close();
  channel = null;
}

// The reader is back, or the machine was asleep: a leader that sleeps does not answer, a stream may have broken.
export function wake(wasAsleep) {
  if (!page) return;
  isDoubtful ||= wasAsleep;
  if (!isLeader) ask();
  else if (wasAsleep) connect();
}

function wait(ms, action) {
  clearTimeout(timer);
  timer = setTimeout(action, ms);
}

// --- The lead ---------------------------------------------------------------------------------------------------

function queue(options) {
  const own = (turn = new AbortController());
  navigator.locks.request(NAME, options.steal ? options : { signal: own.signal }, lead).catch((error) => {
    if (turn !== own) return; // we left, or took the lock from another
    hush();
    isLeader = false;
    if (error.name === "AbortError") queue({}); // another took it from us
    else lead(); // no locks here: everybody for themselves
  });
}

function lead() {
  if (!page) return;
  isLeader = true;
  pass("alive");
  connect();
  return new Promise((resolve) => { release = resolve; });
}

function ask() {
  channel.postMessage(["hi"]);
  wait(ANSWER_MS * (1 + Math.random()), takeOver);
}

// Nobody answers, and a tab in the background may sleep with the lock in its hand.
function takeOver() {
  if (document.hidden) return wait(SILENCE_MS, ask);
  hasCompany = true;
  turn.abort();
  queue({ steal: true });
}

function answer() {
  if (!isLeader) return;
  const isFirst = !hasCompany;
  hasCompany = true;
  if (isFirst && page.articleId) connect();
  pass(...(isStreaming ? ["pulse", {}, place] : ["alive"]));
}

function follow(type, data, id) {
  if (isLeader) return;
  hasCompany = true;
  wait(SILENCE_MS * 1.5, ask);
  if (type === "alive") return;
  const wasDoubtful = isDoubtful;
  isDoubtful = false;
  take(type, data, id);
  if (wasDoubtful) page.look();
}

function pass(...message) {
  if (hasCompany) channel.postMessage(message);
}

function tell(type, data, id) {
  pass(type, data, id);
  take(type, data, id);
}

function take(type, data, id) {
  place = id || place;
  const isOurs = type === "doubt" || !page.articleId || !data.article_id || data.article_id === page.articleId;
  if (type === "notice" && isOurs) page.hear(data);
  else if (type !== "pulse" && isOurs) page.look();
}

// --- The stream -------------------------------------------------------------------------------------------------

function connect() {
  hush();
  const isOwn = page.articleId && !hasCompany;
  const revision = isOwn && page.revision();
  let isSure = Boolean(place || revision); // it goes on from where we are
  const query = new URLSearchParams({ pulse: 1, ...(place && { after: place }), ...(revision && { revision }) });
  source = new EventSource(`/live${isOwn ? `/${page.articleId}` : ""}?${query}`);
  for (const type of ["pulse", "notice", "reset"]) {
    source.addEventListener(type, (event) => {
      wait(SILENCE_MS, fail);
      isStreaming = true;
      retryMs = RETRY_FIRST_MS;
      polls = 0;
      if (!isSure) tell("doubt");
      isSure = true;
      tell(type, JSON.parse(event.data), event.lastEventId);
    });
  }
  source.addEventListener("error", () => { if (source?.readyState === EventSource.CLOSED) fail(); });
  wait(FIRST_SIGN_MS, fail);
}

function hush() {
  clearTimeout(timer);
  source?.close();
  source = null;
  isStreaming = false;
}

function fail() {
  hush();
  wait(retryMs * (0.5 + Math.random()), connect);
  retryMs = Math.min(retryMs * 2, RETRY_MOST_MS);
  poll();
}

// Without a stream: what the ledger of updates has that it did not have the last time.
async function poll() {
  try {
    const feed = await (await fetch("/updates/feed.json", { cache: "no-cache" })).json();
    const notices = feed.items.map((item) => item._newsroom).reverse(); // oldest first
    if (!page || !isLeader || isStreaming) return;
    const key = (notice) => `${notice.article_id}/${notice.revision}`;
    if (polls++ % DOUBT_EVERY === 0) tell("doubt");
    else for (const notice of notices) if (!polled.has(key(notice))) tell("notice", notice);
    polled = new Set(notices.map(key));
  } catch { /* away for now */ }
}
