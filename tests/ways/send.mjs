// Uploads a file with tus-js-client, as a page or a program of a user would.
// node send.mjs PACKAGE_JSON ENDPOINT FILE: prints the address when all is sent.
import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";

const [packageJson, endpoint, file] = process.argv.slice(2);
const { Upload } = createRequire(packageJson)("tus-js-client");

const upload = new Upload(createReadStream(file), {
  endpoint,
  chunkSize: 4 * 2 ** 20,
  uploadSize: statSync(file).size,
  headers: { Authorization: "Bearer ada" },
  retryDelays: Array(100).fill(200),
  metadata: { filename: "film.mkv", filetype: "video/x-matroska", priority: "3" },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(upload.url);
  },
});
upload.start();
