"use strict";
// Numbers of a chapter that a reader changes: everything is worked out again by its program (rounds.js), and printed in its place.

const CURVE = { width: 320, height: 120, left: 8, right: 8, top: 10, bottom: 10 };

class Live {
  constructor(chapter) {
    this.chapter = chapter;
    this.facts = Live.facts(chapter.data);
    this.rounds = new Rounds(programs[chapter.article.id](), this.facts);
    this.carry = this.facts.carry;
    this.cells = new Map(this.facts.cells.map((id, cell) => [id, cell]));
    this.turned = new Set(this.facts.turned);
    this.edits = new Map();
    this.rounding = this.rounds.rounding;
    this.box = chapter.panel.querySelector(".change");
    this.fields = new Map([...this.box.querySelectorAll("[data-given]")].map((field) => [this.cells.get(field.dataset.given), field]));
    const numbers = [...chapter.article.querySelectorAll("td.number math")].filter((number) => !number.querySelector("[data-cell]"));
    this.fixed = new Set(numbers.map((number) => number.closest(".scroll"))); // tables of numbers that are no step's
    this.worked = this.before = null;
    this.box.hidden = false;
    this.now();
    this.listen();
  }

  /** What is known of the program; of one graph, its cells are the first ids, and what they use is as in the lines, unless it is said. */
  static facts({ program, ids, uses, needs }) {
    if (program.given.length > 1) return program;
    return { ...program, cells: ids.slice(0, program.cells), uses: [{ ...uses, ...needs, ...program.uses[0] }] };
  }

  // --- numbers ---

  /** A step's number as printed now: in a notation whose letter stands for the negative, with the other sign. */
  text(id, worked = this.now()) {
    const [, number, rest] = /^(?:#(\d+):)?(.*)$/s.exec(id);
    const [round, cell] = [worked.rounds[Number(number ?? 1) - 1], this.cells.get(rest)];
    if (!round || cell === undefined || round.values[cell] === undefined) return undefined;
    if (!worked.texts.has(id)) {
      const text = this.rounds.shown(round, cell, worked.rounding);
      worked.texts.set(id, this.turned.has(cell) ? this.opposite(text) : text);
    }
    return worked.texts.get(id);
  }

  opposite(text) {
    const [, exact, sign, digits] = /^(=?)(-?)(.*)$/.exec(text);
    return exact + (sign || Number.parseFloat(digits) === 0 ? "" : "-") + digits;
  }

  now() {
    this.worked ??= this.work(this.edits);
    return this.worked;
  }

  work(edits) {
    return { rounds: this.rounds.all(edits, this.rounding), rounding: this.rounding, texts: new Map() };
  }

  decimals(count) {
    this.rounding = this.rounds.rounded(count);
    this.before = null;
    this.again(false);
  }

  /** Work out everything again; where a number has no value, say which, and leave everything as it is. */
  again(show = true) {
    const said = this.trouble.textContent;
    try {
      this.worked = this.work(this.edits);
      this.trouble.textContent = "";
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      const text = this.told(trouble);
      if (text !== said) this.trouble.textContent = text;
      return;
    }
    if (show) this.chapter.show();
    this.compare();
    this.redraw();
  }

  /** The plane of the inputs, where it is seen. */
  redraw() {
    if (this.box.open) this.plane?.draw(this.course, this.moment);
  }

  /** Which step has no number, and why. */
  told({ kind, cell }) {
    const why = kind === "overflow" && this.facts.powers.includes(cell) ? "power" : kind;
    return this.trouble.dataset[why].replace("{step}", this.facts.cells[cell]);
  }

  // --- what it was ---

  /** The results beside what they were with the numbers of the report; lines that are others are marked. */
  compare() {
    this.before ??= this.work(new Map());
    const { chapter } = this;
    const wanted = this.box.querySelector(".comparing").checked;
    const changed = (id) => this.text(id) !== this.text(id, this.before);
    chapter.article.querySelectorAll(".was").forEach((mark) => mark.remove());
    for (const line of chapter.article.querySelectorAll(".text .step")) {
      const other = this.edits.size > 0 && changed(line.dataset.step);
      line.classList.toggle("changed", other);
      if (other && wanted) line.querySelector(".right").append(this.was(line.dataset.step));
    }
    for (const result of this.box.querySelectorAll("[data-result]")) {
      const place = result.querySelector(".now");
      const text = this.text(result.dataset.result) ?? "";
      place.replaceChildren(text.startsWith("=") ? "= " : "≈ ", this.number(text));
      if (this.edits.size && changed(result.dataset.result)) place.append(" ", this.was(result.dataset.result));
    }
    for (const table of this.fixed) {
      table.classList.toggle("stale", this.edits.size > 0);
      table.dataset.stale = this.box.dataset.stale;
    }
    for (const [cell, field] of this.fields) field.classList.toggle("changed", this.edits.has(cell));
    this.box.querySelector(".reset").disabled = !this.edits.size;
  }

  /** (before: 0.298) */
  was(id) {
    const [before, after] = this.box.dataset.was.split("{number}");
    return element("span", { class: "was" }, before, this.number(this.text(id, this.before)), after);
  }

  number(text) {
    const place = element("math:mrow");
    const formula = element("math:math", {}, place);
    put(place, text.replace("=", ""), this.chapter.data.comma);
    return formula;
  }

  // --- many updates ---

  /** Go on from the numbers there are, and draw the loss. */
  train() {
    const count = Math.round(Number(this.updates.value));
    if (!(count >= 1 && count <= Number(this.updates.max))) return this.updates.setAttribute("aria-invalid", "true");
    this.updates.removeAttribute("aria-invalid");
    const place = this.box.querySelector(".curve");
    let course;
    try {
      course = this.rounds.course(this.edits, count, this.rounding);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      place.textContent = this.told(trouble);
      return;
    }
    this.course = course;
    this.moment = this.moments.max = this.moments.value = count;
    this.moments.parentNode.hidden = false;
    this.moments.parentNode.querySelector("output").textContent = count;
    const ends = [course.losses[0], course.losses[count]].map((loss) => printed(loss, this.rounding, false, false).replace("=", ""));
    const says = place.dataset.text.replace("{count}", count).replace("{before}", ends[0]).replace("{after}", ends[1]);
    place.replaceChildren(this.curve(course.losses, says), element("p", {}, says));
    this.box.querySelector(".take").hidden = false;
    this.look();
    this.plane?.draw(course, count);
  }

  // --- the loss over two numbers ---

  /** Choose among the numbers that updates change. */
  offer() {
    const choices = this.facts.carried.map(([cell]) => cell).filter((cell) => this.fields.has(cell));
    const lists = [...this.box.querySelectorAll(".across, .up")];
    this.box.querySelector(".over").hidden = choices.length < 2;
    if (choices.length < 2) return;
    lists.forEach((list, place) => {
      list.append(...choices.map((cell) => element("option", { value: cell }, this.facts.cells[cell])));
      list.value = choices[place];
      list.addEventListener("change", () => this.look());
    });
  }

  /** The loss around the way of the updates, the other numbers as they are now. */
  look() {
    const place = this.box.querySelector(".surface");
    const cells = [".across", ".up"].map((list) => Number(this.box.querySelector(list).value));
    if (!this.course || this.box.querySelector(".over").hidden || cells[0] === cells[1]) return place.replaceChildren();
    const way = this.course.states.map((state) => cells.map((cell) => this.rounds.value(cell, state, this.edits)));
    const number = (loss) => printed(loss, this.rounding, false, false).replace("=", "");
    const says = (low, high) => {
      const text = place.dataset.text.replace("{low}", number(low)).replace("{high}", number(high));
      return text.replace("{count}", way.length - 1);
    };
    place.replaceChildren(...(surfaceMap(this, cells, way, this.moment, says) ?? []));
  }

  /** Everything as it was after so many of the updates. */
  stop(moment) {
    this.moment = moment;
    this.moments.parentNode.querySelector("output").textContent = moment;
    const [x, y] = this.box.querySelector(".curve .loss").getAttribute("points").split(" ")[moment].split(",");
    const mark = this.box.querySelector(".curve .moment");
    mark.setAttribute("cx", x);
    mark.setAttribute("cy", y);
    const points = this.box.querySelector(".surface .way")?.getAttribute("points").split(" ");
    if (points) {
      const [cx, cy] = points[moment].split(",");
      const end = this.box.querySelector(".surface .end");
      end.setAttribute("cx", cx);
      end.setAttribute("cy", cy);
    }
    this.plane?.draw(this.course, moment);
  }

  curve(losses, label) {
    const { width, height, left, right, top, bottom } = CURVE;
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    const x = (place) => left + ((width - left - right) * place) / Math.max(losses.length - 1, 1);
    const y = (loss) => height - bottom - ((height - top - bottom) * (loss - low)) / (high - low || 1);
    const points = losses.map((loss, place) => `${x(place).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
    const ground = { x1: left, x2: width - right, y1: height - bottom / 2, y2: height - bottom / 2, class: "ground" };
    const attributes = { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label };
    const mark = element("svg:circle", { r: 4, class: "moment", cx: x(losses.length - 1).toFixed(1), cy: y(losses[losses.length - 1]).toFixed(1) });
    return element("svg:svg", attributes, element("svg:line", ground), element("svg:polyline", { points, class: "loss" }), mark);
  }

  /** The weights that were reached, as numbers to go on with. */
  take() {
    for (const [cell, { value }] of this.course.reached) {
      this.edits.set(cell, { value });
      const field = this.fields.get(cell);
      if (field) field.value = printed(value, this.rounding, true, false).replace("=", "");
    }
    this.forget();
    this.again();
  }

  /** The updates that were gone through, which other numbers do not have. */
  forget() {
    if (!this.course) return;
    this.course = null;
    this.box.querySelector(".take").hidden = this.moments.parentNode.hidden = true;
    this.box.querySelectorAll(".curve, .surface").forEach((place) => place.replaceChildren());
  }

  // --- what a reader does ---

  listen() {
    const { box } = this;
    this.trouble = box.querySelector(".trouble");
    this.updates = box.querySelector(".updates");
    this.moments = box.querySelector(".moments");
    this.plane = this.chapter.data.plane ? new Plane(this) : null;
    for (const [cell, field] of this.fields) field.addEventListener("input", () => this.edited(cell, field));
    box.querySelector(".reset").addEventListener("click", () => this.reset());
    box.querySelector(".comparing").addEventListener("change", () => this.compare());
    box.querySelector(".train")?.addEventListener("click", () => this.train());
    box.querySelector(".take")?.addEventListener("click", () => this.take());
    this.moments?.addEventListener("input", () => this.stop(Number(this.moments.value)));
    if (box.querySelector(".over")) this.offer();
    box.addEventListener("toggle", () => {
      if (!box.open) return;
      this.compare();
      this.redraw();
    });
  }

  edited(cell, field) {
    const found = typed(field.value);
    if (found === null) {
      field.setAttribute("aria-invalid", "true");
      this.trouble.textContent = this.trouble.dataset.number.replace("{found}", field.value);
      return;
    }
    field.removeAttribute("aria-invalid");
    const turned = this.turned.has(cell);
    const own = turned ? { value: neg(found.value), text: this.opposite(found.text) } : found;
    if (field.value.trim() === field.defaultValue) this.edits.delete(cell);
    else this.edits.set(cell, own);
    this.forget();
    this.again();
  }

  reset() {
    this.edits.clear();
    this.forget();
    this.trouble.textContent = "";
    for (const field of this.fields.values()) {
      field.value = field.defaultValue;
      field.removeAttribute("aria-invalid");
    }
    this.again();
  }
}
