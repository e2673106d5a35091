// A browser for tests/e2e/browser.py: Debian's Chromium, driven by playwright-core. A line of JSON comes in,
// `{"do": "open", …}`, and a line goes out: what the page shows after it, or `{"failed": "…"}`.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const timeout = 15_000;
const browser = await chromium.launch({
  executablePath: process.env.KEYWARD_CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid() === 0 ? ["--no-sandbox"] : [], // Chromium's sandbox does not start for root
});

let context;
let page;
let offences = []; // what no page of ours may do

const actions = {
  // A fresh browser, as of somebody who comes here for the first time.
  async visit({ origin, script = true, scheme = "light", width = 1280, height = 800, scale = 1, language = "en-GB" }) {
    await context?.close();
    context = await browser.newContext({
      javaScriptEnabled: script, colorScheme: scheme, locale: language, viewport: { width, height },
      deviceScaleFactor: scale,
      reducedMotion: "reduce", // a colour that is on its way to another is neither
    });
    context.setDefaultTimeout(timeout);
    offences = [];
    context.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) offences.push(`asked ${request.url()}`);
    });
    context.on("response", (response) => {
      const refused = response.status() >= 400 && !response.request().isNavigationRequest();
      if (refused) offences.push(`${response.status()} ${response.url()}`);
    });
    context.on("console", (message) => {
      if (message.text().startsWith("Failed to load resource: the server responded")) return; // see above
      if (["error", "warning"].includes(message.type())) offences.push(`console: ${message.text()}`);
    });
    context.on("weberror", (error) => offences.push(`script: ${error.error()}`));
    page = await context.newPage();
  },
  async open({ url }) { await page.goto(url); },
  async fill({ label, text }) { await page.getByLabel(label, { exact: true }).fill(text); },
  async click({ name, role = "button" }) {
    await page.getByRole(role, { name, exact: true }).click();
    await page.waitForLoadState();
  },
  async press({ key }) {
    await page.keyboard.press(key);
    await page.waitForLoadState();
  },
  async type({ text }) { await page.keyboard.type(text); },
  async enter() { // Enter where it sends a form
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  },
  async back() { await page.goBack(); },
  async media({ scheme, width }) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 800 });
  },
  async picture({ path }) { await page.screenshot({ path, fullPage: true }); },
  // What the script of the page gets when it asks another server.
  async fetch({ url, options }) {
    return page.evaluate(async ([target, chosen]) => {
      try {
        const answer = await fetch(target, chosen);
        return { status: answer.status, request_id: answer.headers.get("X-Request-Id"), body: await answer.text() };
      } catch (error) {
        return { error: String(error) };
      }
    }, [url, options]);
  },
  async axe() {
    await page.evaluate(axe);
    // Everything that axe knows, its advice beyond WCAG too. No preload: the pages may not fetch.
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { preload: false }));
    return {
      passes: passes.length,
      violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" · ")}`),
    };
  },
  // Another site that puts the page into a frame; and, to show that it can, a page of its own.
  async frame({ url }) {
    const elsewhere = createServer((request, response) => {
      response.setHeader("Content-Type", "text/html");
      const isFramed = request.url === "/framed";
      response.end(isFramed ? "<form></form>" : `<iframe src="/framed"></iframe><iframe src="${url}"></iframe>`);
    });
    await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
    const [, own, ours] = page.frames();
    const answer = { own: await own.locator("form").count(), ours: await ours.locator("form").count() };
    elsewhere.close();
    return answer;
  },
};

async function isFocusDue() {
  return page.evaluate(() => document.activeElement === document.body && document.querySelector("[autofocus]") !== null);
}

// What a page shows; one that goes on to another by itself is left for that.
async function shown() {
  for (;;) {
    try {
      return await shownNow();
    } catch (error) {
      if (!/Execution context was destroyed/.test(error.message)) throw error;
      await page.waitForLoadState();
    }
  }
}

async function shownNow() {
  if (page === undefined) return {};
  // `autofocus` comes with the first drawing of a page, after its load.
  for (const end = Date.now() + timeout; Date.now() < end && (await isFocusDue()); ) await page.waitForTimeout(20);
  const state = await page.evaluate(() => {
    const active = document.activeElement;
    const style = active && getComputedStyle(active);
    return {
      url: location.href,
      title: document.title,
      language: document.documentElement.lang,
      headings: [...document.querySelectorAll("h1")].map((one) => one.textContent.trim()),
      alerts: [...document.querySelectorAll("[role=alert]")].map((one) => one.textContent.trim()),
      text: document.body.innerText,
      focus: active?.id || active?.textContent?.trim(),
      focus_ring: style ? `${style.outlineStyle} ${style.outlineWidth}` : "",
      overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    };
  });
  return { ...state, offences };
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    const more = await actions[command.do](command);
    answer = { ...(await shown()), ...more };
  } catch (error) {
    answer = { failed: `${command.do}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
