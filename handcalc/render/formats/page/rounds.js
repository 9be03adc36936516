"use strict";
// The rounds of a solution, worked out again with other numbers. The steps are the program of the chapter (program.py); this goes
// through them, as core/evaluation.py does, and prints what they come to, as core/derivation.py does.

/** One round: values as the next step uses them and before they are rounded, and what is known of each. */
class Round {
  constructor(count) {
    this.values = new Array(count);
    this.unrounded = new Array(count);
    this.rational = new Array(count).fill(true);
    this.touched = new Array(count).fill(false);
    this.texts = new Array(count); // as typed, of what was
  }
}

class Rounds {
  /** graphs: steps of each graph; facts: what program.py says beside them. */
  constructor(graphs, facts) {
    this.graphs = graphs;
    this.facts = facts;
    this.given = facts.given.map((numbers) => Object.entries(numbers).map(([cell, text]) => [Number(cell), this.known(text)]));
    this.rounding = { decimals: facts.decimals, significant: facts.significant, ties: facts.ties, carry: facts.carry };
  }

  /** A given number: with its digits, or, after ~, one that nobody typed. */
  known(text) {
    const found = typed(text.replace("~", ""));
    return text.startsWith("~") ? { value: found.value } : { value: found.value, text };
  }

  /** The rounding with so many decimals instead. */
  rounded(decimals) {
    return decimals === undefined ? this.rounding : { ...this.rounding, decimals, significant: null };
  }

  /** The digits of a cell. */
  digits(cell, rounding) {
    const own = rounding === this.rounding ? this.facts.digits[cell] : undefined;
    return own ? { ...rounding, decimals: own[0], significant: own[1] } : rounding;
  }

  /** What the first round begins with instead of what is given, where that is not changed. */
  start(edits) {
    const value = (text) => (text.startsWith("~") ? this.known(text).value : Number(text));
    return new Map(this.facts.start.filter(([cell]) => !edits.has(cell)).map(([cell, text]) => [cell, { value: value(text) }]));
  }

  /** All rounds; edits: cell → what is given for it instead. */
  all(edits, rounding = this.rounding) {
    const found = [];
    let replaced = this.start(edits);
    for (const graph of this.facts.rounds) {
      const round = this.round(graph, edits, replaced, rounding);
      found.push(round);
      replaced = new Map(this.facts.carried.map(([old, next]) => [old, { value: round.values[next] }]));
    }
    return found;
  }

  /** The loss before each of so many updates, and after the last, what is carried then, and what was before each. */
  course(edits, count, rounding = this.rounding) {
    const losses = [];
    const states = [];
    let replaced = this.start(edits);
    for (let number = 0; number <= count; number++) {
      states.push(replaced);
      const round = this.round(0, edits, replaced, rounding);
      losses.push(float(round.values[this.facts.loss]));
      if (number === count) break;
      replaced = new Map(this.facts.carried.map(([old, next]) => [old, { value: round.values[next] }]));
    }
    return { losses, reached: replaced, states };
  }

  /** The number of a given cell in a state. */
  value(cell, state, edits) {
    const known = this.given[0].find(([own]) => own === cell)[1];
    return float((state.get(cell) ?? edits.get(cell) ?? known).value);
  }

  /** The losses where two cells are other numbers, row by row; NaN where there is none. */
  surface(edits, across, up) {
    return this.field(edits, this.start(edits), across, up, [this.facts.loss]).map((row) => row.map(([loss]) => loss));
  }

  /** What some cells are where two others are other numbers, row by row; state: what is carried; NaN where there is none. */
  field(edits, state, [across, columns], [up, rows], wanted) {
    const steps = this.leadingTo(wanted);
    const numbers = (x, y) => {
      const moved = new Map([...state, [across, { value: x }], [up, { value: y }]]);
      try {
        const { values } = this.round(0, edits, moved, this.rounding, steps);
        return wanted.map((cell) => float(values[cell]));
      } catch (trouble) {
        if (!(trouble instanceof Trouble)) throw trouble;
        return wanted.map(() => NaN);
      }
    };
    return rows.map((y) => columns.map((x) => numbers(x, y)));
  }

  /** The steps of the first graph that cells are made of, in order. */
  leadingTo(cells) {
    const needed = new Set(cells);
    for (const [cell] of this.graphs[0].toReversed())
      if (needed.has(cell)) for (const used of this.facts.uses[0][cell] ?? []) needed.add(used);
    return this.graphs[0].filter(([cell]) => needed.has(cell));
  }

  /** One round of a graph, or some of its steps. Throws a Trouble that says at which cell. */
  round(graph, edits, replaced, rounding, steps = this.graphs[graph]) {
    const round = new Round(this.facts.cells.length);
    const { values, unrounded, rational: kept, touched, texts } = round;
    const fractions = rounding.carry || this.facts.exact;
    for (const [cell, known] of this.given[graph]) {
      const { value, text } = replaced.get(cell) ?? edits.get(cell) ?? known;
      values[cell] = unrounded[cell] = fractions || isFloat(value) ? value : short(value);
      texts[cell] = text;
    }
    for (const [cell, step] of steps) {
      rational = true;
      const uses = this.facts.uses[graph][cell] ?? [];
      try {
        let value = step(values);
        if (!isFloat(value)) value = fractions ? shorter(value) : short(value);
        else if (!Number.isFinite(value)) throw new Trouble("overflow");
        unrounded[cell] = value;
        values[cell] = rounding.carry ? carried(value, this.digits(cell, rounding)) : value;
      } catch (trouble) {
        if (!(trouble instanceof Trouble)) throw trouble;
        trouble.cell = cell;
        throw trouble;
      }
      kept[cell] = rational && (rounding.carry || uses.every((used) => kept[used]));
      touched[cell] = rounding.carry && uses.some((used) => touched[used] || compare(values[used], unrounded[used]) !== 0);
    }
    return round;
  }

  /** A cell's number as printed, with = before it where it is exact. */
  shown(round, cell, rounding = this.rounding) {
    if (round.texts[cell] !== undefined) return "=" + round.texts[cell];
    let value = round.unrounded[cell];
    if (round.rational[cell] && isFloat(value)) value = Number(value.toPrecision(15));
    return printed(value, this.digits(cell, rounding), round.rational[cell], rounding.carry && round.touched[cell]);
  }
}
