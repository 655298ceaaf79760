// Builds web/dist, compresses what is worth it, and holds the first page to its budget.
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");
/** JavaScript and CSS of the first page, as gzip sends them. */
const FIRST_PAGE_BYTES_MAX = 250 * 1024;
const COMPRESSED = /\.(js|css|svg|json)$/;

await build({ root, logLevel: "warn" });

const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) =>
  statSync(join(dist, name)).isFile(),
);
for (const name of files) {
  if (!COMPRESSED.test(name) || name.startsWith(".vite")) continue;
  const content = readFileSync(join(dist, name));
  const packed = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  if (packed.length < content.length) writeFileSync(join(dist, `${name}.br`), packed);
}

const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));

/** Files that are loaded with `entry`, without what it loads later. */
function loadedWith(entry, seen = new Set()) {
  const chunk = manifest[entry];
  if (!chunk || seen.has(entry)) return new Set();
  seen.add(entry);
  const own = [chunk.file, ...(chunk.css ?? [])];
  return new Set([...own, ...(chunk.imports ?? []).flatMap((next) => [...loadedWith(next, seen)])]);
}

const sizeOf = (names) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name))).length, 0);
const chart = new Set(
  Object.keys(manifest)
    .filter((name) => /charts\/engine/.test(name))
    .flatMap((name) => [...loadedWith(name)]),
);
const first = new Set([...loadedWith("index.html"), ...loadedWith("src/features/overview/overview.tsx"), "theme.js"]);
const later = new Set([...chart].filter((name) => !first.has(name)));
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;
const size = sizeOf(first);
console.log(`first page ${kb(size)} of ${kb(FIRST_PAGE_BYTES_MAX)}, charts ${kb(sizeOf(later))} after it, gzip`);
if (size > FIRST_PAGE_BYTES_MAX) {
  console.error("the first page is over its budget");
  process.exit(1);
}

// The server's build script looks for the folder only when this file is newer (see there).
const now = new Date();
utimesSync(join(root, "../crates/server/build.rs"), now, now);
