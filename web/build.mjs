// Bundles the pages into the Python package: node web/build.mjs [output folder]
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(here, "../src/matinee/apps/web/static"));

/** The player's style sheet names a web font on another host; pages use the system's fonts. */
const withoutWebFonts = {
  name: "without-web-fonts",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      return { contents: text.replace(/@font-face\s*\{[^}]*\}/g, ""), loader: "css" };
    });
  },
};

const licences = [
  ["Shaka Player", "node_modules/shaka-player/LICENSE"],
  ["uPlot", "node_modules/uplot/LICENSE"],
  ["tus-js-client", "node_modules/tus-js-client/LICENSE"],
];

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: ["site.css", "player.css", "report.css", "studio.css", "compare.css", "player.js", "report.js", "studio.js", "compare.js", "theme.js"].map((name) => `src/${name}`),
  outdir: output,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome100", "firefox100", "safari15.4"],
  legalComments: "none",
  plugins: [withoutWebFonts],
  logLevel: "warning",
  metafile: true,
});
await writeFile(join(output, "icon.svg"), await readFile(join(here, "src/icon.svg")));
const notices = await Promise.all(
  licences.map(async ([name, path]) => `${name}\n\n${await readFile(join(here, path), "utf8")}`),
);
await writeFile(join(output, "licences.txt"), notices.join(`\n${"-".repeat(78)}\n\n`));

for (const [path, { bytes }] of Object.entries(result.metafile.outputs)) {
  const text = await readFile(resolve(here, path), "utf8");
  const address = text.match(/(@import|src:|url\()\s*["']?https?:\/\/[^"')\s]+/);
  if (address) throw new Error(`${path} would fetch ${address[0]}`);
  console.log(`${String(Math.round(bytes / 1024)).padStart(6)} KiB  ${path}`);
}
