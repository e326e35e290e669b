// The way of a newer page onto the one that is open: only what differs is touched, and no line on the screen moves.

const ANCHORS = 60;
const FRESH_MS = 7_000;
const LARGEST_ALIGNMENT = 250_000;

const parts = (root) => [...root.querySelectorAll("main [data-part]")];

// What stands on a page, as the server wrote it.
export function content(root) {
  return tidy(parts(root).map((part) => part.innerHTML).join("\n"));
}

// Make the open page like another document and keep the reader's place, and the focus where it was. `finish` does
// what else may move lines.
export function renew(doc, focused, finish) {
  const place = anchors(focused);
  const news = [];
  unmark(document.querySelectorAll(".fresh"));
  const fresh = new Map(parts(doc).map((part) => [part.dataset.part, part]));
  for (const part of parts(document)) {
    const other = fresh.get(part.dataset.part);
    if (other) morph(part, document.importNode(other, true), news);
  }
  finish();
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
