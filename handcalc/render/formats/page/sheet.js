"use strict";
// A worksheet that is filled in: numbers are looked up among those known of each step (exercises/fields.py), and saved as a sheet that
// handcalc check reads. Where they are hashed, so is what was typed.

const SIGN = { correct: "✓", rounded: "✓", convention: "✓", imprecise: "~", last_digit: "~", mistake: "✗", wrong: "✗", unreadable: "?" };
const TONE = { correct: "right", rounded: "right", convention: "right", imprecise: "few", last_digit: "few" };

/** SHA-256 of a text, in hexadecimal. */
function sha256(text) {
  const bytes = new TextEncoder().encode(text);
  const long = ((bytes.length + 72) >> 6) << 6;
  const view = new DataView(new ArrayBuffer(long));
  bytes.forEach((byte, place) => view.setUint8(place, byte));
  view.setUint8(bytes.length, 0x80);
  view.setUint32(long - 4, bytes.length * 8);
  const primes = [];
  for (let number = 2; primes.length < 64; number++) if (primes.every((prime) => number % prime)) primes.push(number);
  const bitsOf = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
  const constants = primes.map((prime) => bitsOf(Math.cbrt(prime)));
  const state = primes.slice(0, 8).map((prime) => bitsOf(Math.sqrt(prime)));
  const turn = (word, by) => (word >>> by) | (word << (32 - by));
  for (let block = 0; block < long; block += 64) {
    const words = constants.map((_, place) => (place < 16 ? view.getUint32(block + 4 * place) : 0));
    for (let t = 16; t < 64; t++) {
      const [x, y] = [words[t - 15], words[t - 2]];
      const [s, u] = [turn(x, 7) ^ turn(x, 18) ^ (x >>> 3), turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)];
      words[t] = (words[t - 16] + s + words[t - 7] + u) >>> 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + constants[t] + words[t]) >>> 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) >>> 0, c, b, a, (one + two) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, place) => (state[place] = (state[place] + word) >>> 0));
  }
  return state.map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** A typed number to so many places: 5933e-4. */
function keyOf(above, below, places) {
  return `${rounded(above, below, places, "half_up") * ten(Math.max(-places, 0))}e${-Math.max(places, 0) || 0}`;
}

class Answers {
  /** typed: id → text, as it is now. */
  constructor(data, typed) {
    this.data = data;
    this.typed = typed;
    this.judged = new Map();
  }

  /** What is said of the answer to a step: a verdict and why; nothing where there is none. */
  judge(id) {
    if (!this.judged.has(id)) this.judged.set(id, this.judgement(id, this.typed.get(id) ?? ""));
    return this.judged.get(id);
  }

  judgement(id, text) {
    const answer = text.split(/[=≈＝]/).at(-1).trim();
    if (!answer) return null;
    const found = typed(answer);
    if (found === null) return ["unreadable", this.data.unreadable.replace("{found}", answer)];
    const [, , places, , , before = []] = this.data.fields[id];
    const [above, below] = parts(found.value);
    const own = placesOf(found.text);
    const reason = this.known(id, above, below, own === null ? places + 4 : Math.min(own, places + 6));
    if (reason) return reason;
    if (own === 0 && places > 0) {
      const whole = this.known(id, above, below, places); // 3 between numbers of four digits is 3.000
      if (whole) return whole;
    }
    if (own === null || own > places) {
      const nearer = this.known(id, above, below, places);
      if (nearer) return nearer[0] === "correct" && own !== null ? ["rounded", this.data.longer] : nearer;
    }
    return ["wrong", before.some((one) => this.fails(one)) ? this.data.follows : this.data.otherwise];
  }

  /** Whether a step was answered, and not right. */
  fails(id) {
    const judged = this.data.fields[id] && this.judge(id);
    return Boolean(judged) && !(judged[0] in TONE);
  }

  /** The reason that a number has; one that began at an earlier step only where that is not right. */
  known(id, above, below, places) {
    const [, , , , numbers, before = []] = this.data.fields[id];
    const plain = keyOf(above, below, places);
    const place = numbers[this.data.salt ? sha256(`${this.data.salt}|${id}|${plain}`).slice(0, 12) : plain];
    if (place === undefined || (place < 0 && !before.some((one) => this.fails(one)))) return null;
    return this.data.reasons[place < 0 ? ~place : place];
  }

  share(verdict) {
    return this.data.shares[verdict] ?? 0;
  }
}

/** How many decimals a number was typed with; null for a fraction. */
function placesOf(text) {
  if (text.includes("/")) return null;
  const [digits, exponent] = text.split("e");
  return Math.max((digits.split(".")[1] ?? "").length - Number(exponent ?? 0), 0);
}

class Sheet {
  constructor(article) {
    this.article = article;
    this.data = JSON.parse(article.querySelector(":scope > script.answers").textContent);
    this.bar = article.querySelector(".marking");
    this.fields = [...article.querySelectorAll("input.answer")];
    this.bar.hidden = false;
    for (const field of this.fields) {
      field.addEventListener("input", () => this.typing(field));
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") this.say(field);
      });
    }
    this.bar.querySelector(".check").addEventListener("click", () => this.check());
    this.bar.querySelector(".save").addEventListener("click", (event) => this.save(event.target.dataset.file));
    this.bar.querySelector(".written").addEventListener("toggle", () => (this.bar.querySelector("textarea").value = this.text()));
  }

  /** The same step may stand in a line and in a table. */
  typing(field) {
    for (const other of this.fields) {
      if (other.dataset.answer !== field.dataset.answer) continue;
      if (other !== field) other.value = field.value;
      other.removeAttribute("aria-invalid");
      other.parentNode.querySelector(".said").replaceChildren();
    }
  }

  /** The answers as they are now. */
  now() {
    return new Answers(this.data, new Map(this.fields.map((field) => [field.dataset.answer, field.value])));
  }

  /** Say of one answer whether it is right, and why not. */
  say(field, answers = this.now()) {
    const judged = answers.judge(field.dataset.answer);
    const said = field.parentNode.querySelector(".said");
    said.id ||= `said-${this.article.id}-${this.fields.indexOf(field)}`;
    field.setAttribute("aria-describedby", said.id);
    if (judged === null) said.replaceChildren();
    else said.replaceChildren(element("span", { class: `tone ${TONE[judged[0]] ?? "wrong"}` }, SIGN[judged[0]]), " " + judged[1]);
    if (judged && !(judged[0] in TONE)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    return judged;
  }

  check() {
    let [marks, most, left] = [0, 0, 0];
    const [seen, answers] = [new Set(), this.now()];
    for (const field of this.fields) {
      const judged = this.say(field, answers);
      if (seen.has(field.dataset.answer)) continue;
      seen.add(field.dataset.answer);
      const worth = this.data.fields[field.dataset.answer][3];
      most += worth;
      if (judged === null) left += 1;
      else marks += worth * answers.share(judged[0]);
    }
    const score = this.bar.querySelector(".score");
    const plain = (number) => String(Math.round(number * 100) / 100);
    const text = score.dataset.text.replace("{marks}", plain(marks)).replace("{most}", plain(most));
    score.textContent = text + (left ? "; " + score.dataset.left.replace("{count}", left) : "");
  }

  /** The sheet as handcalc check reads it. */
  text() {
    const line = (text) => text.replace(/[\r\n]+/g, " ");
    const lines = this.data.head.map((title) => `# ${line(title)}`);
    lines.push(`${this.data.naming} ${line(this.bar.querySelector(".student").value)}`, "");
    const seen = new Set();
    for (const field of this.fields) {
      const id = field.dataset.answer;
      if (seen.has(id)) continue;
      seen.add(id);
      const [name, flip] = this.data.fields[id];
      lines.push(`${name} = ${flip ? turnedRound(field.value.trim()) : line(field.value.trim())}`);
    }
    return lines.join("\n") + "\n";
  }

  save(name) {
    const address = URL.createObjectURL(new Blob([this.text()], { type: "text/plain" }));
    const link = element("a", { href: address, download: `${name}.txt` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }
}

/** A number with the other sign. */
function turnedRound(text) {
  const answer = text.split(/[=≈＝]/).at(-1).trim();
  if (!answer || typed(answer) === null) return answer;
  return /^[-−–－]/.test(answer) ? answer.slice(1) : "-" + answer.replace(/^[+＋]/, "");
}
