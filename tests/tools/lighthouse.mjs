// Lighthouse on pages that stand: for each address the scores (0 to 100) and what they lost points for, as JSON.
// node lighthouse.mjs CHROME CATEGORIES URL…     CATEGORIES: "all" or names with commas between them
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromePath, categories, ...urls] = process.argv.slice(2);
const onlyCategories = categories === "all" ? undefined : categories.split(",");
const chromeFlags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

// What cost points, each with its first findings: the lines of robots.txt, or the elements on the page.
const lost = ({ lhr }, category) =>
  category.auditRefs
    .map(({ id, weight }) => ({ audit: lhr.audits[id], weight }))
    .filter(({ audit, weight }) => weight > 0 && audit.score !== null && audit.score < 1)
    .map(({ audit: { id, title, displayValue, details } }) => ({
      id,
      title: displayValue ? `${title} (${displayValue})` : title,
      found: (details?.items ?? []).slice(0, 5).map(({ line, node, url }) => line ?? node?.snippet ?? url ?? ""),
    }));

const measured = (result) =>
  Object.entries(result.lhr.categories).map(([name, category]) => ({
    category: name,
    score: category.score === null ? null : Math.round(category.score * 100),
    lost: lost(result, category),
  }));

const chrome = await launch({ chromePath, chromeFlags, logLevel: "silent" });
try {
  const answers = {};
  for (const url of urls) {
    const result = await lighthouse(url, { port: chrome.port, onlyCategories, logLevel: "error", output: "json" });
    if (result.lhr.runtimeError) throw new Error(`${url}: ${result.lhr.runtimeError.message}`);
    answers[url] = measured(result);
  }
  console.log(JSON.stringify(answers));
} finally {
  chrome.kill();
}
