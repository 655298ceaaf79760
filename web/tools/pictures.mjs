// Pictures of every page and dialog, at 1440 and 375 pixels, light and dark:
// `node tools/pictures.mjs BINARY FOLDER [demo|empty|extreme] [a part of a name]`; VIEW=375-dark takes one view only.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { PAGES, PANELS } from "./places.mjs";
import { dataFolder, drawn, fromDist, launch, logIn, serve } from "./stage.mjs";
import { STORES } from "./stores.mjs";

const [binary, folder, wanted = "demo", part = ""] = process.argv.slice(2);
const store = STORES[wanted];
if (!binary || !folder || !store) {
  console.error("usage: node tools/pictures.mjs BINARY FOLDER [demo|empty|extreme] [PART OF A NAME]");
  process.exit(2);
}

/** @type {{ name: string, path: string, act?: import("./places.mjs").Place["act"] }[]} */
const PLACES = [...PAGES.map(([path]) => ({ name: nameOf(path), path })), ...PANELS];
/** What a store has nothing for is not waited for. */
const ACT_MS = 3_000;

function nameOf(path) {
  return (
    path
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "") || "overview"
  );
}

const { data, leave } = dataFolder();
const filled = store.fill?.(binary, data);
const server = await serve(binary, data, ["auth.argon2.memory_kib=8", "auth.argon2.iterations=1"]);
const browser = await launch();
try {
  const person = filled ?? (await store.after(server.base));
  for (const colorScheme of ["light", "dark"])
    for (const width of [1440, 375]) {
      const view = `${width}-${colorScheme}`;
      if (process.env.VIEW && process.env.VIEW !== view) continue;
      const into = join(folder, wanted, view);
      mkdirSync(into, { recursive: true });
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      await fromDist(context);
      const page = await context.newPage();
      if (!part || "log-in".includes(part)) {
        await page.goto(server.base);
        await page.getByLabel("E-mail").waitFor();
        await page.screenshot({ path: join(into, "log-in.png") });
      }
      await logIn(page, server.base, person);
      for (const { name, path, act } of PLACES.filter((place) => place.name.includes(part))) {
        await page.goto(server.base + path);
        await drawn(page).catch(() => console.error(`${wanted} ${width} ${colorScheme} ${name}: not drawn`));
        if (act) {
          page.setDefaultTimeout(ACT_MS);
          const done = await act(page).then(
            () => true,
            () => false,
          );
          page.setDefaultTimeout(30_000);
          if (!done) continue;
        }
        await drawn(page).catch(() => console.error(`${wanted} ${width} ${colorScheme} ${name}: not drawn`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) console.error(`${wanted} ${width} ${colorScheme} ${name}: ${wide} px too wide`);
        await page.screenshot({ path: join(into, `${name}.png`), fullPage: !act, animations: "disabled" });
      }
      await context.close();
    }
} finally {
  await browser.close();
  await server.stop();
  leave();
}
