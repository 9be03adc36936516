// Python for the page: handcalc in Pyodide, in a thread of its own. A message {id, request} is answered with {id, answer}, both of them
// JSON of cli/captured.py; {stage} says how far the start has come.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const here = (path) => new URL(path, self.location.href).href;

async function bytes(path) {
  const response = await fetch(here(path));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
}

async function begun() {
  const names = JSON.parse(new TextDecoder().decode(await bytes("packages.json")));
  const packages = Promise.all(names.map(bytes));
  const python = await loadPyodide({ indexURL: here("pyodide/"), env: { HOME: "/home/pyodide", LANG: "en", PYTHONDONTWRITEBYTECODE: "1" } });
  postMessage({ stage: "unpacking" });
  const extractDir = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  for (const wheel of await packages) python.unpackArchive(wheel, "wheel", { extractDir });
  const captured = python.pyimport("handcalc.cli.captured");
  captured.settle_in("/home/pyodide/work");
  postMessage({ stage: "ready" });
  return captured;
}

const ready = begun();
ready.catch((error) => postMessage({ stage: "broken", reason: String(error.message ?? error) }));

self.addEventListener("message", async ({ data }) => {
  const captured = await ready;
  try {
    postMessage({ id: data.id, answer: captured.answer(data.request) });
  } catch (error) {
    postMessage({ id: data.id, ended: String(error.message ?? error) });
  }
});
