"use strict";
// The page of the site. What is typed goes to worker.js as text; what comes back is shown as text, or as the HTML that handcalc has
// written, of which page.js (loaded before: Chapter, chapters, sizes, reachable) makes what can be gone through line by line.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const PROBLEM = "problem.yaml";
const SHEET = "sheet.txt";
const LONGEST = 60000; // letters of a problem that still goes into an address
const PAUSE = 600; // milliseconds without typing, before what is typed is looked at

const part = (id) => document.getElementById(id);
const text = (name, values = {}) => TEXTS[part("language").value][name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

// --- the problem: a plain field, until editor.js puts an editor in its place -------------------------------------------------------

const field = part("problem");
const site = {
  /** What is typed. */
  get: () => field.value,
  set: (yaml) => (field.value = yaml),
  /** Show faults {line, message} where they are. */
  mark: () => {},
  /** Go to a line, from 1. */
  go: (line) => {
    const start = field.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
    field.focus();
    field.setSelectionRange(start, start + (field.value.slice(start).split("\n")[0] ?? "").length);
  },
  /** To be called where something was typed. */
  typed: () => {
    clearTimeout(site.waiting);
    site.waiting = setTimeout(look, PAUSE);
    gallery.then((problems) => {
      const example = problems.find(({ name }) => name === part("gallery").value);
      if (example && example.text !== site.get()) part("gallery").value = ""; // it is another problem now
    });
  },
};
field.addEventListener("input", () => site.typed());

// --- Python ------------------------------------------------------------------------------------------------------------------------

let worker;
let isReady = false;
let asked = new Map();
let number = 0;

function say(name, values) {
  part("state").textContent = text(name, values);
  part("state").dataset.said = JSON.stringify([name, values ?? {}]);
}

function state(name) {
  document.body.dataset.state = name;
  part("stop").hidden = name !== "working";
  part("result").setAttribute("aria-busy", name === "working");
}

function begin(stage) {
  const lost = asked;
  asked = new Map();
  isReady = false;
  state("loading");
  say(stage);
  worker = new Worker("worker.js", { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    if (data.stage) return staged(data);
    const answered = asked.get(data.id);
    asked.delete(data.id);
    if (data.ended === undefined) return answered?.(JSON.parse(data.answer));
    answered?.(null);
    again("ended");
  });
  worker.addEventListener("error", (event) => staged({ stage: "broken", reason: event.message ?? "" }));
  for (const answered of lost.values()) answered(null);
}

function staged({ stage, reason }) {
  isReady = stage === "ready";
  if (stage === "broken") state("broken");
  else if (isReady) state(asked.size ? "working" : "ready");
  if (isReady && asked.size) say("working");
  else if (isReady) rested();
  else say(stage, { reason });
}

function rested() {
  say(navigator.serviceWorker?.controller ? "offline" : "ready");
}

function again(stage) {
  worker.terminate();
  begin(stage);
}

/** The answer of Python to a request; null where it was stopped. */
function ask(request) {
  return new Promise((answered) => {
    asked.set(++number, answered);
    worker.postMessage({ id: number, request: JSON.stringify(request) });
  });
}

/** Run a command line on what is typed, and say how long it took. */
async function run([command, ...parts], files = {}, sheets = {}) {
  clearTimeout(site.waiting);
  const started = performance.now();
  if (isReady) {
    state("working");
    say("working");
  }
  const answer = await ask({ arguments: [command, "--lang", part("language").value, ...parts], files: { [PROBLEM]: site.get(), ...files }, sheets });
  if (answer === null) return null;
  state(asked.size ? "working" : "ready");
  if (!asked.size) say("done", { seconds: ((performance.now() - started) / 1000).toFixed(1) });
  faulty(answer.code > 1 ? answer.err.split("\n").filter((line) => line.startsWith(PROBLEM)) : []);
  return answer;
}

// --- faults ------------------------------------------------------------------------------------------------------------------------

/** Look at what is typed, without working it out. */
async function look() {
  if (!isReady || asked.size) return site.typed();
  const answer = await ask({ problem: site.get(), language: part("language").value });
  if (answer) faulty(answer.faults);
}

function faulty(said) {
  const found = said.filter(Boolean).map((line) => {
    const [, place, message] = /^problem\.yaml:(?:(\d+):)? ?(.*)$/s.exec(line) ?? [, , line];
    return { line: Number(place ?? 0), message };
  });
  part("faults").replaceChildren(
    ...found.map(({ line, message }) => {
      const item = document.createElement("li");
      if (line) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text("line", { number: line });
        button.addEventListener("click", () => site.go(line));
        item.append(button, " ");
      }
      item.append(message);
      return item;
    }),
  );
  part("faults").hidden = !found.length;
  site.mark(found.filter(({ line }) => line));
}

// --- results -----------------------------------------------------------------------------------------------------------------------

/** Show a page that handcalc has written. Scripts in it are data; nothing of it is run (steps.js). */
async function show(html) {
  const body = html.slice(html.indexOf("<body"), html.indexOf("<script>")); // without its styles and its script, which are here
  const written = new DOMParser().parseFromString(body, "text/html");
  for (const packed of written.querySelectorAll("script.packed")) await opened(packed);
  globalThis.programs = {};
  for (const program of written.querySelectorAll("script.program")) {
    programs[program.closest(".chapter").id] = stepsOf(program.textContent);
    program.remove();
  }
  const shown = part("result");
  for (const chapter of chapters.splice(0)) sizes.unobserve(chapter.panel);
  shown.className = `result ${written.body.className}`;
  shown.replaceChildren(...written.querySelector("main").children);
  for (const article of shown.querySelectorAll(".chapter")) {
    if (!article.querySelector(".panel")) continue;
    const chapter = new Chapter(article);
    article.querySelector("script.data").remove(); // it has been read
    chapters.push(chapter);
    sizes.observe(chapter.panel);
  }
  document.title = `${shown.querySelector(".level-1")?.textContent ?? ""} · handcalc`.replace(/^ · /, "");
  reachable();
  arrive();
}

function tell(message) {
  const words = document.createElement("pre");
  words.className = "told";
  words.textContent = message;
  chapters.splice(0);
  part("result").className = "result";
  part("result").replaceChildren(words);
  if (part("faults").hidden) arrive(); // else they stand at the problem
}

function arrive() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part("result").scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}

/** Show what a command printed, or what it said instead. */
async function result([command, ...parts], files, sheets) {
  const answer = await run([command, "--format", "html", ...parts], files, sheets);
  if (!answer) return;
  if (answer.code <= 1) await show(answer.out);
  else tell(answer.err);
}

function chosen(...names) {
  const options = { notation: "--notation", decimals: "--decimals", detail: "--detail", form: "--form" };
  const parts = names.filter((name) => name !== "carry" && part(name).value).flatMap((name) => [options[name], part(name).value]);
  return names.includes("carry") && part("carry").checked ? [...parts, "--carry"] : parts;
}

const ALL = ["notation", "decimals", "detail", "form", "carry"];

function solve() {
  history.replaceState(null, "", address());
  return result(["solve", PROBLEM, ...chosen(...ALL)]);
}

function save(name, content, type = "text/plain;charset=utf-8") {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function download() {
  const endings = { plain: "txt", markdown: "md", latex: "tex", typst: "typ", notebook: "ipynb" };
  const format = part("format").value;
  const file = `solution.${endings[format] ?? format}`;
  const answer = await run(["solve", PROBLEM, ...chosen(...ALL), "--format", format, "-o", `{output}/${file}`]);
  if (!answer) return;
  if (answer.code > 1) return tell(answer.err);
  for (const [name, content] of Object.entries(answer.files))
    save(name, Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), "application/octet-stream");
}

/** Mark sheets that are files: one of an office program, or those of a class. */
async function mark(files) {
  const folder = `sheets-${++number}`;
  const named = files.map(async (file) => [`${folder}/${file.name.replace(/[^\p{L}\p{N}._ -]/gu, "_")}`, letters(new Uint8Array(await file.arrayBuffer()))]);
  const sheets = Object.fromEntries(await Promise.all(named));
  return result(["check", PROBLEM, "--jobs", "1", ...chosen("notation"), ...Object.keys(sheets)], {}, sheets);
}

// --- links -------------------------------------------------------------------------------------------------------------------------

/** Bytes in base64. */
function letters(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** The end of an address that has the problem in it; the address alone, where that would be too long. */
function address() {
  const yaml = new TextEncoder().encode(site.get());
  if (yaml.length > LONGEST) return location.pathname;
  return "#p=" + letters(yaml).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The problem in the address; undefined where it has none. */
function linked() {
  if (!location.hash.startsWith("#p=")) return undefined;
  const base64 = decodeURIComponent(location.hash.slice(3)).replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

function follow() {
  try {
    const yaml = linked();
    if (yaml === undefined) return false;
    if (yaml !== site.get()) site.set(yaml);
    solve();
    return true;
  } catch {
    tell(text("bad-link"));
    return false;
  }
}

// --- language ----------------------------------------------------------------------------------------------------------------------

const LANGUAGE = "handcalc-language";

/** Keep the language for the next visit, where the browser lets us. */
function remember(language) {
  try {
    localStorage.setItem(LANGUAGE, language);
  } catch {}
}

function remembered() {
  try {
    const language = localStorage.getItem(LANGUAGE);
    return TEXTS[language] ? language : null;
  } catch {
    return null;
  }
}

function translate() {
  document.documentElement.lang = part("language").value === "zh" ? "zh-Hans" : part("language").value;
  for (const place of document.querySelectorAll("[data-text]")) if (TEXTS.en[place.dataset.text]) place.textContent = text(place.dataset.text);
  for (const place of document.querySelectorAll("[data-name]")) place.setAttribute("aria-label", text(place.dataset.name));
  const said = part("state").dataset.said;
  if (said) say(...JSON.parse(said));
}

// --- what a reader does ------------------------------------------------------------------------------------------------------------

part("solve").addEventListener("click", solve);
part("worksheet").addEventListener("click", () => result(["solve", PROBLEM, ...chosen("notation", "decimals"), "--view", "worksheet"]));
part("check").addEventListener("click", () =>
  result(["check", PROBLEM, SHEET, ...chosen("notation")], { [SHEET]: part("answers").value }),
);
part("blank").addEventListener("click", async () => {
  const answer = await run(["check", PROBLEM, "--blank", ...chosen("notation")]);
  if (answer?.code === 0) part("answers").value = answer.out;
  else if (answer) tell(answer.err);
});
part("explain").addEventListener("click", () => result(["why", PROBLEM, ...chosen("notation", "decimals", "carry"), "--", part("step").value]));
part("step").addEventListener("keydown", (event) => event.key === "Enter" && part("explain").click());
part("download").addEventListener("click", download);
part("save").addEventListener("click", () => save(PROBLEM, site.get()));
part("stop").addEventListener("click", () => again("stopped"));
part("link").addEventListener("click", async () => {
  history.replaceState(null, "", address());
  if (!location.hash.startsWith("#p=")) return say("long-link");
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  say(copied ? "linked" : "unlinked");
});
part("file").addEventListener("change", async () => {
  const [file] = part("file").files;
  if (file) site.set(await file.text());
  site.typed();
});
part("sheets").addEventListener("change", async () => {
  const files = [...part("sheets").files];
  part("sheets").value = "";
  if (files.length === 1 && !/\.(docx|xlsx)$/i.test(files[0].name)) part("answers").value = await files[0].text();
  else if (files.length) mark(files);
});
part("language").addEventListener("change", () => {
  remember(part("language").value);
  translate();
  translateGallery();
  site.typed();
});
document.querySelector(".bench").addEventListener("keydown", (event) => {
  event.stopPropagation(); // arrows there are not those that go from line to line
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) (event.target === part("answers") ? part("check") : part("solve")).click();
});
window.addEventListener("hashchange", follow);

const gallery = fetch("gallery.json").then((response) => response.json());
gallery.then((problems) => {
  part("gallery").append(...problems.map(({ name }) => new Option(name, name)));
  translateGallery();
});

/** The titles of the examples in the language that was chosen. */
async function translateGallery() {
  const titles = new Map((await gallery).map(({ name, titles }) => [name, titles[part("language").value]]));
  for (const option of part("gallery").options) if (titles.get(option.value)) option.textContent = `${titles.get(option.value)} · ${option.value}`;
}

part("gallery").addEventListener("change", async () => {
  const problem = (await gallery).find(({ name }) => name === part("gallery").value);
  if (problem) site.set(problem.text);
  site.typed();
});

// --- the start ---------------------------------------------------------------------------------------------------------------------

part("language").value = remembered() ?? document.documentElement.lang.slice(0, 2);
translate();
if (location.protocol === "file:") {
  state("broken");
  say("from-file");
} else {
  begin("loading");
  navigator.serviceWorker?.register("service.js").catch((error) => console.warn(error));
  navigator.serviceWorker?.ready.then(() => document.body.dataset.state === "ready" && rested());
  navigator.serviceWorker?.ready.then(() => (document.body.dataset.offline = "ready"));
  const start = async () => {
    if (follow() || site.get()) return;
    const first = (await gallery).find(({ name }) => name === field.dataset.first);
    if (site.get() || !first) return;
    site.set(first.text);
    part("gallery").value = first.name;
  };
  if (!document.querySelector("script[src='editor.js']")) start();
  else site.start = start; // editor.js calls it
}
