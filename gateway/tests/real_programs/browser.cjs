// The page examples/live_page in headless Chromium.
//   node browser.cjs CHROMIUM PAGE ADDRESS SUBTOPIC PACK
// Opens PAGE#ADDRESS and connects; prints "state TEXT"; then for every changed row "row CELL|CELL|…" without the curve.
// A line "publish" on standard input publishes PACK on SUBTOPIC with the page's own form. Ends when standard input does.
const { createRequire } = require("module");
const { chromium } = createRequire(process.env.MANYWIRE_PEERS + "/")("playwright-core");
const readline = require("readline");
const [executablePath, page, address, subtopic, pack] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.log("error " + error.message));
  await tab.exposeFunction("print", (line) => console.log(line));
  await tab.goto(`file://${page}#${address}`);
  await tab.evaluate(() => {
    const state = document.querySelector("output");
    new MutationObserver(() => state.dataset.kind !== "waiting" && print("state " + state.textContent)).observe(state, { childList: true });
    new MutationObserver((changes) => {
      const changed = new Set(changes.map(({ target }) => target.parentElement?.closest("tr") ?? target.closest?.("tr")).filter(Boolean));
      for (const row of changed) if (row.cells[2]?.textContent) print("row " + [...row.cells].slice(0, 5).map((cell) => cell.textContent).join("|"));
    }).observe(document.querySelector("tbody"), { childList: true, subtree: true, characterData: true });
  });
  await tab.click("button[value=connect]");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line !== "publish") continue;
    await tab.fill("input[name=subtopic]", subtopic);
    await tab.fill("input[name=pack]", pack);
    await tab.click("button[value=publish]");
  }
  await browser.close();
})().catch((error) => {
  console.log("error " + error.message);
  process.exit(1);
});
