"use strict";
// The program of a page that handcalc has written (render/formats/page/program.py), read and not run: the policy of the site allows no
// scripts but its own files. functions.js has the functions of core/functions.py under the names that programs call them by.
//
// stepsOf(program) is the program as a function, as it would be if it were run: for each graph pairs of a cell and its step.

const OPERATIONS = { add, mul, div, neg, power, settle, sum, attempt, zeroOr, "Ratio.of": Ratio.of, ...functions };
const WORDS = /\s*(?:(-?\d+)(n?)|([A-Za-z][\w.]*)|(=>|[[\](),]))/y;
const GRAPHS = /\nreturn (\[.*\]);\n\};$/s;

class Steps {
  constructor(text) {
    this.text = text;
    this.place = 0;
    this.next();
  }

  /** Go on to the next word: a number, a name or a sign. */
  next() {
    WORDS.lastIndex = this.place;
    const [whole = "", digits, big, name, sign] = WORDS.exec(this.text) ?? [];
    this.place += whole.length;
    this.number = digits === undefined ? undefined : big ? BigInt(digits) : Number(digits);
    this.name = name;
    this.sign = sign;
  }

  take(sign) {
    if (this.sign !== sign) throw new SyntaxError(`${sign} is expected before ${this.text.slice(this.place, this.place + 40)}`);
    this.next();
  }

  /** What stands between brackets, between commas. */
  listed(open, close, one) {
    const found = [];
    this.take(open);
    while (this.sign !== close) {
      found.push(one());
      if (this.sign !== close) this.take(",");
    }
    this.next();
    return found;
  }

  graphs() {
    return this.listed("[", "]", () => this.listed("[", "]", () => this.step()));
  }

  /** [12,n=>add(n[3],n[4])] */
  step() {
    this.take("[");
    const cell = this.number;
    this.next();
    this.take(",");
    this.next();
    this.take("=>");
    const worth = this.worth();
    this.take("]");
    return [cell, worth];
  }

  /** What is worth a number, as a function of the numbers of all cells. */
  worth() {
    const { number, name } = this;
    if (this.sign === "[") return this.values("[", "]", (...values) => values);
    if (this.sign === "(") return this.later();
    this.next();
    if (number !== undefined) return () => number;
    if (name === "rational") return () => rational;
    if (name !== "n") return this.values("(", ")", operation(name));
    const [cell] = this.listed("[", "]", () => {
      const place = this.number;
      this.next();
      return place;
    });
    return (n) => n[cell];
  }

  /** ()=>add(n[3],n[4]), which is worked out when it is needed. */
  later() {
    for (const sign of ["(", ")", "=>"]) this.take(sign);
    const worth = this.worth();
    return (n) => () => worth(n);
  }

  /** A function of what stands between brackets, which is worked out from left to right. */
  values(open, close, own) {
    const parts = this.listed(open, close, () => this.worth());
    return (n) => own(...parts.map((part) => part(n)));
  }
}

function operation(name) {
  if (!Object.hasOwn(OPERATIONS, name)) throw new SyntaxError(name);
  return OPERATIONS[name];
}

function stepsOf(program) {
  const graphs = new Steps(GRAPHS.exec(program)[1]).graphs();
  return () => graphs;
}
