"use strict";
// What a page does with scripts on: the drawing stays in view, the lines are gone through one by one, any of them and
// any part of the drawing is explained, and other decimals are shown. Everything shown was worked out before: the object
// in script.data of a chapter (see data.py) calls steps by their places in its list `ids`.
//
// opened(packed) puts what is packed of a long chapter (plain.py) in its place;
// explained(data, start) are the steps that explain one, unpacked(data.hidden) the lines that only explanations show.

const MATHML = "http://www.w3.org/1998/Math/MathML";
const SVG = "http://www.w3.org/2000/svg";
const HIGH = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const LEGIBLE = 12; // pixels that letters of drawings are high, at least
const LARGER = 1.05; // a drawing is made so much larger for that, at most
const BESIDE = 0.6; // of the width, which a drawing may have beside the text; a wider one stands above it
const PADDING = 40; // pixels of the panel beside its drawing, which may scroll
const SHADE = 45; // per cent of the colour behind a share of 1
const NAMES = 8; // steps that a sentence names
const MOVES = { ArrowLeft: (now) => now - 1, ArrowRight: (now) => now + 1, Home: () => 0, End: () => Infinity };

const root = document.documentElement;
const high = (digits) => [...digits].map((letter) => HIGH[letter]).join("");

function element(name, attributes = {}, ...inside) {
  const [space, tag] = name.split(":");
  const made = tag ? document.createElementNS(space === "math" ? MATHML : SVG, tag) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

// --- numbers ---------------------------------------------------------------------------------------------------------

function signed(text) {
  const digits = element("math:mn", {}, text.replace("-", ""));
  return text.startsWith("-") ? [element("math:mo", { form: "prefix" }, "−"), digits] : [digits];
}

/** Put a number such as -1.2e-4 or 1/3 into an element of a formula or of a drawing. */
function put(place, text, comma = false) {
  const spelled = comma ? text.replaceAll(".", ",") : text;
  const [digits, power] = spelled.split("e");
  if (place.namespaceURI === SVG) {
    place.textContent = digits + (power ? "×10" + high(power) : "");
    return;
  }
  const [above, below] = digits.split("/");
  const simple = /^[\d.,]+$/.test(spelled); // digits only are an element of their own
  if (place.dataset.cell !== undefined && simple !== (place.localName === "mn"))
    place.replaceWith((place = element(simple ? "math:mn" : "math:mrow", { "data-cell": place.dataset.cell })));
  if (place.localName === "mn") place.textContent = spelled;
  else if (below === undefined) place.replaceChildren(...signed(digits));
  else {
    const [number, sign] = signed(above).reverse();
    const half = (part) => element("math:mrow", {}, part);
    place.replaceChildren(...(sign ? [sign] : []), element("math:mfrac", {}, half(number), half(element("math:mn", {}, below))));
  }
  if (power) {
    const ten = element("math:msup", {}, element("math:mn", {}, "10"), element("math:mrow", {}, ...signed(power)));
    place.append(element("math:mo", {}, "×"), ten);
  }
  bracket(place, text.startsWith("-"), power !== undefined || below !== undefined);
}

const SIGNS = ["+", "−", "·"];
const isSign = (part, ...signs) => part?.localName === "mo" && signs.includes(part.textContent);

/** Brackets around a number put into a formula, where it needs them: a negative one behind a sign, one that is more than digits or a
 * sign before a power. These are the precedences of render/printer.py: what stands before a number says the same as they. */
function bracket(place, negative, compound) {
  const around = place.parentNode;
  const inside = around.localName === "mrow" && around.children.length === 3 && isSign(place.previousElementSibling, "(");
  if (inside && (!around.previousElementSibling || isSign(around.previousElementSibling, ...SIGNS, "="))) around.replaceWith(place);
  const row = place.parentNode;
  const raised = row.children.length === 1 && row.parentNode?.localName === "msup" && row === row.parentNode.firstChild;
  if (!((negative && (raised || isSign(place.previousElementSibling, ...SIGNS))) || (compound && raised))) return;
  const fences = place.querySelector("mfrac") ? {} : { stretchy: "false" };
  const brackets = element("math:mrow");
  place.replaceWith(brackets);
  brackets.append(element("math:mo", fences, "("), place, element("math:mo", fences, ")"));
}

/** The points of a column stand below one another: what must follow each number, unseen. */
function align(table, comma) {
  const point = comma ? "," : ".";
  const rows = [...table.tBodies[0].rows];
  for (let column = 0; column < table.tHead.rows[0].cells.length; column++) {
    const cells = rows.map((row) => row.cells[column]).filter((cell) => cell.matches(".number") && cell.querySelector("[data-cell]"));
    const tails = cells.map((cell) => {
      const [digits, power] = cell.textContent.split("×10");
      return [(digits.split(point)[1] || "").length, power ? "\u205f×\u205f10" + high(power.replace("−", "-")) : ""];
    });
    const most = Math.max(0, ...tails.map((tail) => tail[0]));
    const power = tails.reduce((longest, tail) => (tail[1].length > longest.length ? tail[1] : longest), "");
    cells.forEach((cell, place) => {
      const [own, other] = tails[place];
      const gap = (most && !own ? point : "") + "0".repeat(most - own) + (other ? "" : power);
      if (gap) cell.dataset.gap = gap;
      else delete cell.dataset.gap;
    });
  }
}

// --- what the object leaves out ---------------------------------------------------------------------------------------

/** The ids and texts of a line, in the order of the page. */
function* piecesOf(line) {
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data.trim()) yield node;
    } else for (const name of ["data-step", "data-cell"]) if (node.hasAttribute(name)) yield node.getAttributeNode(name);
  }
}

/** Lines that are like examples, with what differs put in (lean.py); example: the line of an id. */
function unpacked({ like, tags, at, lines }, example) {
  const examples = like.map((known) => (Array.isArray(known) ? built(known[0], tags) : example(known)));
  return lines.map((line) => {
    const [kind, ...own] = line.split("\t");
    const made = examples[kind].cloneNode(true);
    made.removeAttribute("id");
    made.querySelector(":scope > .place")?.remove();
    const pieces = [...piecesOf(made)];
    own.forEach((text, number) => [at[kind][number]].flat().forEach((place) => (pieces[place].nodeValue = plain(text))));
    return made;
  });
}

/** A line whose tags are spelled {number id| and }. */
function built(line, tags) {
  const open = [element("div")];
  for (const [, number, id, text] of line.matchAll(/\{(\d+)(?: ([^|]*))?\||\}|([^{}]+)/g)) {
    const around = open[open.length - 1];
    if (text) around.append(plain(text));
    else if (number === undefined) open.pop();
    else {
      const name = /^\w+/.exec(tags[number])[0];
      const written = [...tags[number].matchAll(/([\w-]+)="([^"]*)"/g)];
      const attributes = written.map(([, key, value]) => [key, value === "\t" ? plain(id) : value]);
      const made = element((name === "math" || around.namespaceURI === MATHML ? "math:" : "") + name, Object.fromEntries(attributes));
      around.append(made);
      open.push(made);
    }
  }
  return open[0].firstChild;
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"' };

/** A text of the page's source. */
const plain = (text) => text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => (code ? String.fromCodePoint(code) : NAMED[name]));

/** The steps that a step depends on, phase by phase, each after what it uses, ending with itself; undefined where that is not told. */
function explained(data, start) {
  if (!data.phases || !(data.ends[start] || Object.values(data.phases).some((steps) => steps.includes(start)))) return undefined;
  const order = new Set();
  const opened = new Set();
  const pending = [...(data.ends[start] ?? [start])].reverse().map((step) => [step, false]);
  while (pending.length) {
    const [step, done] = pending.pop();
    if (done) order.add(step);
    else if (!opened.has(step)) {
      opened.add(step);
      pending.push([step, true]);
      const used = data.needs[step] ?? data.uses[step] ?? [];
      pending.push(...used.filter((one) => !opened.has(one)).reverse().map((one) => [one, false]));
    }
  }
  const inside = Object.entries(data.phases).map(([name, steps]) => {
    const own = new Set(steps);
    const found = [...order].filter((step) => own.has(step));
    return name === "given" ? found.sort((one, other) => one - other) : found;
  });
  return inside.flat();
}

// --- one chapter -----------------------------------------------------------------------------------------------------

class Chapter {
  constructor(article) {
    this.article = article;
    this.data = JSON.parse(article.querySelector(":scope > script.data").textContent);
    this.number = new Map(this.data.ids.map((id, number) => [id, number]));
    this.panel = article.querySelector(".panel");
    this.why = this.panel.querySelector(".why");
    this.status = this.panel.querySelector(".status");
    this.drawing = this.panel.querySelector(".drawing");
    this.phases = new Map(Object.entries(this.data.phases ?? {}).flatMap(([name, steps]) => steps.map((step) => [step, name])));
    this.more = this.data.hidden ? this.keep(this.data.hidden) : null;
    this.current = -1;
    this.choice = 0;
    this.zoom = 1;
    this.overview = true; // until a step is looked at: a drawing that is wider than a large window is seen whole
    this.timer = null;
    this.opener = null;
    this.lines = new Map();
    for (const line of [...(this.more?.querySelectorAll(".step") ?? []), ...[...article.querySelectorAll(".text .step")].reverse()])
      this.lines.set(this.of(line), line);
    this.order = new Map(this.data.lines.map((step, place) => [step, place]));
    this.panel.hidden = false;
    this.draw();
    this.shade();
    this.live = this.data.program ? new Live(this) : null;
    this.printed = new Map();
    this.listen();
  }

  /** Lines that only explanations show. */
  keep(hidden) {
    const template = element("template", { class: "more" });
    template.content.append(...unpacked(hidden, (id) => this.article.querySelector(`.text .step[data-step="${CSS.escape(id)}"]`)));
    this.article.append(template);
    return template.content;
  }

  /** Whether it is told where a step comes from. */
  told(step) {
    return this.phases.has(step) || Boolean(this.data.ends?.[step]);
  }

  /** The step of an element of the page, as a number. */
  of(part, name = "step") {
    return this.number.get(part.dataset[name]);
  }

  // --- the drawing ---

  /** Copies of the drawings of the text, one for each iteration, with their parts to be chosen. */
  draw() {
    this.drawings = new Map();
    for (const figure of this.article.querySelectorAll("figure.drawing")) {
      const copy = figure.querySelector("svg").cloneNode(true);
      copy.setAttribute("role", "group");
      for (const part of copy.querySelectorAll("[data-step]")) {
        if (part.matches(".link") || !this.told(this.of(part))) continue;
        part.setAttribute("tabindex", 0);
        part.setAttribute("role", "button");
        for (const text of part.querySelectorAll(":scope > text")) text.after(" "); // numbers of one square are two words
        if (!part.textContent.trim()) part.setAttribute("aria-label", part.dataset.step);
        const line = part.querySelector(":scope > .line");
        if (line) part.prepend(element("svg:path", { class: "hit", d: line.getAttribute("d") }));
      }
      this.call(copy);
      this.drawings.set(Number(figure.dataset.iteration), copy);
    }
    this.panel.querySelector(".stage").hidden = !this.drawings.size;
    this.panel.querySelector(".hint").hidden = !this.data.phases;
    if (this.drawings.size) this.stage(1);
  }

  /** Squares of a drawing are called by their step, and by the number where it is seen. */
  call(drawing) {
    for (const square of drawing.querySelectorAll(".cell[role=button]")) {
      const known = [...square.querySelectorAll("[data-cell]:not(.ahead)")].map((number) => number.textContent).join(", ");
      square.setAttribute("aria-label", square.dataset.step + (known && ` = ${known}`));
    }
  }

  /** Show the drawing of a round. */
  stage(iteration) {
    const drawing = this.drawings.get(iteration) ?? this.drawings.values().next().value;
    if (drawing && drawing.parentNode !== this.drawing) this.drawing.replaceChildren(drawing);
    this.size();
  }

  /** As wide as there is room beside the text, but letters of 12 pixels at least, and as much larger as is wanted. */
  size() {
    const drawing = this.drawing.firstElementChild;
    if (!drawing) return;
    const letters = [...drawing.querySelectorAll("text[font-size]")].map((text) => Number.parseFloat(getComputedStyle(text).fontSize));
    const least = LEGIBLE / Math.min(...letters, 13);
    const [narrow, wide] = [least, Math.max(1, least)].map((scale) => drawing.viewBox.baseVal.width * Math.min(LARGER, scale));
    const columns = this.panel.parentNode;
    columns.style.setProperty("--drawing", `${wide}px`);
    const above = wide > BESIDE * columns.clientWidth - PADDING;
    columns.classList.toggle("wide", above);
    columns.classList.toggle("widest", wide > columns.clientWidth - PADDING);
    if (this.overview) this.zoom = above && matchMedia("(min-width: 72rem)").matches ? Math.min(1, this.drawing.clientWidth / narrow) : 1;
    drawing.style.minWidth = `${(above ? narrow : wide) * this.zoom}px`;
    const { width, height } = drawing.viewBox.baseVal;
    const high = (Number.parseFloat(getComputedStyle(this.drawing).maxHeight) * width) / height; // so wide that all of it is seen
    const room = this.drawing.clientWidth;
    drawing.style.width = `${(above ? Math.min(wide, room) : Math.max(wide, Math.min(room, high || room))) * this.zoom}px`;
    reachable();
  }

  /** The drawing larger or smaller by a step. */
  scale(by) {
    this.overview = false;
    this.zoom = Math.max(0.5, Math.min(4, this.zoom * by));
    this.size();
  }

  wholeScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.panel.requestFullscreen();
  }

  /** Light up what steps are drawn as; own: the one it is about; path: those to be traced; ahead: the last line whose number is known. */
  light(own, others, path = others, ahead = Infinity) {
    if (own !== undefined && this.overview) [this.overview, this.zoom] = [false, 1];
    const round = own === undefined ? 1 : Number(/^#(\d+):/.exec(this.data.ids[own])?.[1] ?? 1);
    this.stage(round);
    const drawing = this.drawing.firstElementChild;
    if (!drawing) return;
    const drawn = (steps) => new Set(steps.map((step) => this.data.elements[step]).filter((step) => step !== undefined));
    const marks = { lit: drawn([own, ...others, ...path]), path: drawn([own, ...path]), own: drawn([own]) };
    drawing.classList.toggle("dimmed", own !== undefined);
    drawing.classList.toggle("back", ["backward", "update"].includes(this.phases.get(own)));
    for (const part of drawing.querySelectorAll("[data-step]:not(.link)"))
      for (const [mark, steps] of Object.entries(marks)) part.classList.toggle(mark, steps.has(this.of(part)));
    const reached = (cell) => this.order.get(cell) ?? this.order.get(this.data.after?.[cell]) ?? -1;
    for (const number of drawing.querySelectorAll("[data-cell]"))
      number.classList.toggle("ahead", reached(this.of(number, "cell")) > ahead);
    this.call(drawing);
    const shown = drawing.querySelector(".own");
    if (shown) {
      const [box, inside] = [this.drawing.getBoundingClientRect(), shown.getBoundingClientRect()];
      this.drawing.scrollLeft += inside.left + inside.width / 2 - box.left - box.width / 2;
      this.drawing.scrollTop += inside.top + inside.height / 2 - box.top - box.height / 2;
    }
  }

  // --- going through the lines ---

  /** Go to a line; -1 for none. */
  go(wanted) {
    const place = Math.max(0, Math.min(wanted, this.data.lines.length - 1));
    this.close(false);
    this.mark(place);
    const line = this.lines.get(this.data.lines[place]);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    line.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
  }

  /** Make a line the current one, without moving the page. */
  mark(place) {
    this.current = place;
    const step = this.data.lines[place];
    const used = this.data.uses[step] ?? [];
    for (const [known, line] of this.lines) {
      line.classList.toggle("current", known === step);
      line.classList.toggle("used", used.includes(known));
      if (known === step) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    }
    this.light(step, used, used, place);
    this.tell(step, used);
    const says = this.status.dataset.text.replace("{number}", place + 1).replace("{count}", this.data.lines.length);
    this.status.replaceChildren(says, element("span", { class: "unseen" }, " " + this.lines.get(step).textContent));
  }

  /** The current line below the drawing, and what it is made from. */
  tell(step, used) {
    const now = this.panel.querySelector(".now");
    const line = this.lines.get(step);
    const parts = [...line.querySelectorAll(":scope > .left, :scope > .right")].map((part) => part.cloneNode(true));
    parts.forEach((part) => part.querySelectorAll(".was").forEach((mark) => mark.remove()));
    now.querySelector(".formula").replaceChildren(element("div", { class: "line step", "data-step": this.data.ids[step] }, ...parts));
    const name = (one) => this.lines.get(one)?.querySelector(".left math")?.cloneNode(true) ?? this.data.ids[one];
    const names = [...new Set(used)].slice(0, NAMES).flatMap((one, place) => [...(place ? [", "] : []), name(one)]);
    if (used.length > NAMES) names.push(", …");
    const sentence = now.querySelector(".sentence");
    const filled = { "{name}": [name(step)], "{names}": names };
    sentence.replaceChildren(...sentence.dataset.text.split(/(\{names?\})/).flatMap((piece) => filled[piece] ?? [piece]));
    sentence.hidden = !names.length;
    now.hidden = false;
  }

  /** Go from line to line by itself, until the end or until it is stopped. */
  play() {
    const button = this.panel.querySelector(".play");
    const starts = this.timer === null;
    clearTimeout(this.timer);
    this.timer = null;
    button.setAttribute("aria-pressed", starts);
    button.textContent = starts ? "■" : "▶";
    if (!starts) return;
    if (this.current >= this.data.lines.length - 1) this.current = -1;
    const next = () => {
      if (this.current >= this.data.lines.length - 1) return this.play();
      this.go(this.current + 1);
      this.timer = setTimeout(next, 8000 / this.panel.querySelector(".speed input").value);
    };
    this.timer = 0;
    next();
  }

  // --- explanations ---

  /** Show what a step depends on; opener: where the focus goes back to. */
  explain(start, opener) {
    const order = explained(this.data, start);
    if (!order) return;
    const reasons = this.why.querySelector(".reasons");
    const name = this.lines.get(start)?.querySelector(".left math")?.cloneNode(true) ?? this.data.ids[start];
    reasons.replaceChildren(element("h2", {}, this.why.ariaLabel + ": ", name));
    const phase = (step) => this.phases.get(step);
    order.forEach((step, place) => {
      if (phase(step) !== phase(order[place - 1])) reasons.append(element("h3", {}, this.data.titles[phase(step)]));
      const line = this.lines.get(step).cloneNode(true);
      line.removeAttribute("id");
      line.classList.remove("current", "used");
      line.removeAttribute("aria-current");
      reasons.append(line);
    });
    if (order.length === 1 && order[0] === start) reasons.append(element("p", {}, this.data.nothing));
    if (this.data.more) reasons.append(element("p", { class: "remark" }, this.data.more));
    this.why.hidden = false;
    this.why.scrollTop = 0;
    this.opener = opener;
    const back = order.filter((step) => phase(step) === "backward" || phase(step) === "update");
    this.light(start, order, back.length ? back.flatMap((step) => [step, ...(this.data.uses[step] ?? [])]) : order);
    this.why.focus({ preventScroll: true });
    reachable();
  }

  close(back = true) {
    if (this.why.hidden) return;
    this.why.hidden = true;
    this.why.querySelector(".reasons").replaceChildren();
    if (this.current < 0) this.light(undefined, []);
    else this.mark(this.current);
    if (back) this.opener?.focus({ preventScroll: true });
    this.opener = null;
  }

  /** Shares between 0 and 1 (of attention) as shades behind their numbers, in drawings and in tables. */
  shade() {
    const shares = new Set(this.data.shares);
    if (!shares.size) return;
    for (const part of [this.article, ...this.drawings.values()])
      for (const number of part.querySelectorAll("td [data-cell], .cell [data-cell]")) {
        if (!shares.has(this.of(number, "cell"))) continue;
        const text = number.textContent; // with a power of ten it is next to 0
        const share = text.includes("×") ? 0 : Math.max(0, Math.min(1, Number.parseFloat(text.replace(",", "."))));
        const behind = number.closest("td") ?? number.closest(".cell").querySelector("rect");
        behind.classList.add("share");
        behind.style.setProperty("--share", `${Math.round(SHADE * share)}%`);
      }
  }

  // --- decimals ---

  /** A number as it is printed now, with = before it where it is exact; undefined where it is always the same. */
  text(id) {
    return this.live ? this.live.text(id) : this.data.numbers?.[this.number.get(id)]?.[this.choice];
  }

  /** Print all numbers as in the report (0), or with other decimals. */
  choose(choice) {
    this.choice = choice;
    this.live?.decimals(this.data.decimals[choice - 1]);
    this.show();
  }

  /** Print the numbers as they are now. */
  show() {
    const { comma, notes, ids, uses } = this.data;
    const exactly = (step) => this.text(ids[step])?.startsWith("=") ?? true;
    for (const part of [this.article, this.more, ...this.drawings.values()].filter(Boolean)) {
      for (const place of part.querySelectorAll("[data-cell]")) {
        const text = this.text(place.dataset.cell)?.replace("=", "");
        if (text !== undefined && this.printed.get(place) !== text) put(place, text, comma);
        this.printed.set(place, text);
      }
      for (const relation of part.querySelectorAll("[data-exact]")) {
        const step = this.of(relation.closest(".step"));
        const result = relation.dataset.exact === "result";
        relation.textContent = (result ? exactly(step) : this.live?.carry || (uses[step] ?? []).every(exactly)) ? "=" : "≈";
      }
      part.querySelectorAll("table").forEach((table) => align(table, comma));
      part.querySelectorAll("p.rounding").forEach((note) => (note.textContent = notes[this.choice]));
    }
    this.shade();
    reachable();
  }

  // --- what a reader does ---

  listen() {
    const { panel, article } = this;
    panel.querySelector(".previous").addEventListener("click", () => this.go(this.current - 1));
    panel.querySelector(".next").addEventListener("click", () => this.go(this.current + 1));
    panel.querySelector(".close").addEventListener("click", () => this.close());
    panel.querySelector(".play").addEventListener("click", () => this.play());
    panel.querySelector(".larger").addEventListener("click", () => this.scale(1.25));
    panel.querySelector(".smaller").addEventListener("click", () => this.scale(0.8));
    panel.querySelector(".whole").addEventListener("click", () => this.wholeScreen());
    panel.querySelector(".whole").hidden = !document.fullscreenEnabled;
    for (const place of article.querySelectorAll(".place")) place.setAttribute("role", "button");
    article.addEventListener("click", (event) => {
      const part = event.target.closest(".drawing [role=button]");
      if (part) this.explain(this.of(part), part);
      const line = event.target.closest(".step");
      if (!line || getSelection().toString()) return;
      if (event.target.closest(".place")) event.preventDefault();
      if (panel.contains(line)) {
        const place = this.order.get(this.of(line));
        if (event.target.closest(".place") && place !== undefined) this.go(place);
        return;
      }
      this.close(false);
      this.mark(this.order.get(this.of(line)));
      this.explain(this.of(line), line.querySelector(".place"));
    });
    article.addEventListener("keydown", (event) => {
      const button = event.target.closest("[role=button]");
      if (!button || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    });
    const label = panel.querySelector(".decimals");
    if (!this.data.decimals) return;
    const [input, output] = [label.querySelector("input"), label.querySelector("output")];
    label.hidden = false;
    input.max = this.data.decimals.length;
    input.setAttribute("aria-valuetext", output.textContent);
    input.addEventListener("input", () => {
      output.textContent = this.data.decimals[input.value - 1] ?? output.dataset.text;
      input.setAttribute("aria-valuetext", output.textContent);
      this.choose(Number(input.value));
    });
  }
}

// --- the page --------------------------------------------------------------------------------------------------------

/** Whatever is too wide has smaller letters; where that is not enough, it scrolls and can be reached with the keyboard. */
function reachable() {
  document.querySelectorAll(".tight").forEach((part) => part.classList.remove("tight"));
  const wide = [...document.querySelectorAll(".right, .scroll")].filter((part) => part.scrollWidth > part.clientWidth + 1);
  wide.forEach((part) => part.classList.add("tight"));
  for (const part of document.querySelectorAll(".right, .scroll, .drawing")) {
    if (part.scrollWidth > part.clientWidth + 1) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

/** Put the text of a long chapter, and what the script reads, in the place of the same text in letters. */
async function opened(packed) {
  const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const inside = new DOMParser().parseFromString(await new Response(stream).text(), "text/html");
  packed.parentNode.querySelector(".text").replaceWith(inside.querySelector(".text"));
  packed.replaceWith(...inside.querySelectorAll("script"));
}

let chapters = [];

/** The chapter that has the middle of the window, else the nearest. */
function inView() {
  const away = (chapter) => {
    const box = chapter.article.getBoundingClientRect();
    return Math.max(box.top - innerHeight / 2, innerHeight / 2 - box.bottom, 0);
  };
  return chapters.reduce((best, chapter) => (best && away(best) <= away(chapter) ? best : chapter), null);
}

document.addEventListener("keydown", (event) => {
  const chapter = inView();
  if (!chapter || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  if (event.key === "Escape") chapter.close();
  const move = MOVES[event.key];
  if (!move || event.target.closest("input, .right[tabindex], .scroll[tabindex], .drawing[tabindex]")) return;
  if (event.key.startsWith("Arrow") || chapter.current >= 0) {
    event.preventDefault();
    chapter.go(move(chapter.current));
  }
});

const theme = document.querySelector(".theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const sizes = new ResizeObserver(() => {
  chapters.forEach((chapter) => chapter.size());
  const heights = chapters.map((chapter) => chapter.panel.offsetHeight);
  root.style.setProperty("--panel", `${Math.max(0, ...heights)}px`);
  reachable();
});

async function start() {
  const packed = document.querySelectorAll("script.packed");
  for (const one of packed) await opened(one); // without any, everything is there at once
  root.classList.add("scripted");
  const told = [...document.querySelectorAll(".chapter")].filter((article) => article.querySelector(":scope > script.data"));
  chapters = told.map((article) => new Chapter(article));
  for (const article of document.querySelectorAll(".chapter")) if (article.querySelector(":scope > script.answers")) new Sheet(article);
  for (const chapter of chapters) sizes.observe(chapter.panel);
  sizes.observe(document.body);
  if (packed.length) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

start();
