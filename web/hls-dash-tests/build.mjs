// Puts the other players where the browser tests find them: node web/hls-dash-tests/build.mjs [folder]
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(here, "../../.cache/test-players"));

const files = {
  "hls.js": "node_modules/hls.js/dist/hls.min.js",
  "dash.js": "node_modules/dashjs/dist/modern/umd/dash.all.min.js",
};
await mkdir(output, { recursive: true });
for (const [name, path] of Object.entries(files)) await copyFile(join(here, path), join(output, name));
console.log(`${Object.keys(files).join(", ")} -> ${output}`);
