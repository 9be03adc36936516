"use strict";
// Maps of a chapter: the loss over two numbers, with the way of the updates, and the plane of two inputs, with what is answered there.

const MAP = { width: 380, height: 280, left: 60, right: 12, top: 10, bottom: 30, places: 40, levels: 12 };
const CLASSES = [ // the shapes of their marks
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
  "M-4.2 -4.2h8.4v8.4h-8.4z",
  "M0 -5.2l5.2 9h-10.4z",
  "M0 -5.8l5 5.8l-5 5.8l-5 -5.8z",
];
const RANGES = [[0, 1], [-1, 1]]; // of outputs that say yes or no

const least = (numbers) => numbers.reduce((low, number) => Math.min(low, number), Infinity);
const most = (numbers) => numbers.reduce((high, number) => Math.max(high, number), -Infinity);

/** Numbers over an axis that has room around some. */
function around(numbers) {
  const [low, high] = [least(numbers), most(numbers)];
  const half = Math.max(0.75 * (high - low), 1);
  return Array.from({ length: MAP.places }, (_, step) => (low + high) / 2 + half * ((2 * step) / (MAP.places - 1) - 1));
}

/** A map of two axes: columns and rows are their numbers, names what they are. */
class Field {
  constructor(columns, rows, names, comma) {
    Object.assign(this, { columns, rows, names, comma });
    this.wide = (MAP.width - MAP.left - MAP.right) / MAP.places;
    this.tall = (MAP.height - MAP.top - MAP.bottom) / MAP.places;
  }

  /** Where a number stands, in places from the first. */
  static stand(number, numbers) {
    return ((number - numbers[0]) / (numbers[MAP.places - 1] - numbers[0])) * (MAP.places - 1) + 0.5;
  }

  x(number) {
    return MAP.left + this.wide * Field.stand(number, this.columns);
  }

  y(number) {
    return MAP.height - MAP.bottom - this.tall * Field.stand(number, this.rows);
  }

  /** Squares of one kind each: kind(row, column) is [class, level of all levels]. */
  squares(kind) {
    const areas = new Map();
    for (let up = 0; up < MAP.places; up++)
      for (let across = 0; across < MAP.places; across++) {
        const name = kind(up, across).join(" ");
        const square = `M${(MAP.left + this.wide * across).toFixed(2)} ${(MAP.height - MAP.bottom - this.tall * (up + 1)).toFixed(2)}`;
        areas.set(name, (areas.get(name) ?? "") + `${square}h${this.wide}v${this.tall}h-${this.wide}z`);
      }
    return [...areas].map(([name, d]) => {
      const [tone, level] = name.split(" ");
      return element("svg:path", { d, class: tone, "fill-opacity": ((0.85 * Number(level)) / MAP.levels).toFixed(3) });
    });
  }

  /** The line where heights are 0, found along the sides of squares of four places. */
  border(heights) {
    let d = "";
    const middle = (one, other) => [0, 1].map((side) => one[side] + ((other[side] - one[side]) * one[2]) / (one[2] - other[2]));
    const point = (up, across) => [
      MAP.left + this.wide * (across + 0.5),
      MAP.height - MAP.bottom - this.tall * (up + 0.5),
      heights[up][across],
    ];
    for (let up = 0; up + 1 < MAP.places; up++)
      for (let across = 0; across + 1 < MAP.places; across++) {
        const corners = [point(up, across), point(up, across + 1), point(up + 1, across + 1), point(up + 1, across)];
        if (!corners.every((corner) => Number.isFinite(corner[2]))) continue;
        const ends = corners.map((corner, place) => [corner, corners[(place + 1) % 4]]).filter(([one, other]) => one[2] > 0 !== other[2] > 0);
        const met = ends.map(([one, other]) => middle(one, other).map((place) => place.toFixed(1)).join(" "));
        for (let place = 0; place + 1 < met.length; place += 2) d += `M${met[place]}L${met[place + 1]}`;
      }
    return element("svg:path", { d, class: "border" });
  }

  words() {
    const text = (words, place) => element("svg:text", { ...place, class: "axis" }, words);
    const short = (number) => String(Number(number.toPrecision(2))).replace("-", "−").replace(".", this.comma ? "," : ".");
    const [first, last] = [0, MAP.places - 1];
    const foot = MAP.height - MAP.bottom + 18;
    const { columns, rows, names } = this;
    return [
      ...[first, last].map((end) => text(short(columns[end]), { x: this.x(columns[end]), y: foot, "text-anchor": end ? "end" : "start" })),
      ...[first, last].map((end) => text(short(rows[end]), { x: MAP.left - 5, y: this.y(rows[end]) + (end ? 9 : 0), "text-anchor": "end" })),
      text(names[0], { x: (MAP.left + MAP.width - MAP.right) / 2, y: foot, "text-anchor": "middle" }),
      text(names[1], { x: MAP.left - 5, y: (MAP.top + MAP.height - MAP.bottom) / 2, "text-anchor": "end" }),
    ];
  }

  /** The map; areas below its frame, marks above. */
  drawn(label, areas, marks) {
    const size = { width: MAP.width - MAP.left - MAP.right, height: MAP.height - MAP.top - MAP.bottom };
    const frame = element("svg:rect", { x: MAP.left, y: MAP.top, ...size, class: "frame" });
    const attributes = { viewBox: `0 0 ${MAP.width} ${MAP.height}`, role: "img", "aria-label": label };
    return element("svg:svg", attributes, ...areas, frame, ...marks, ...this.words());
  }
}

/** The loss around the way of updates; way: the two numbers after each, moment: after how many it is looked at. */
function surfaceMap(live, cells, way, moment, says) {
  const [columns, rows] = [0, 1].map((side) => around(way.map((point) => point[side])));
  const losses = live.rounds.surface(live.edits, [cells[0], columns], [cells[1], rows]);
  const known = losses.flat().filter(Number.isFinite);
  if (!known.length || !way.flat().every(Number.isFinite)) return null;
  const [low, high] = [least(known), most(known)];
  const field = new Field(columns, rows, cells.map((cell) => live.facts.cells[cell]), live.chapter.data.comma);
  const level = (loss) => (Number.isFinite(loss) ? Math.round(MAP.levels * Math.sqrt((loss - low) / (high - low || 1))) : MAP.levels);
  const points = way.map(([across, up]) => [field.x(across).toFixed(1), field.y(up).toFixed(1)]);
  const dot = ([cx, cy], name) => element("svg:circle", { cx, cy, r: 4, class: name });
  const line = element("svg:polyline", { points: points.map((point) => point.join(",")).join(" "), class: "way" });
  const text = says(low, high);
  const areas = field.squares((up, across) => ["height", level(losses[up][across])]);
  return [field.drawn(text, areas, [line, dot(points[0], "begin"), dot(points[moment], "end")]), element("p", {}, text)];
}

/** What a network of two inputs answers, with the numbers as they are now or after some updates. */
class Plane {
  constructor(live) {
    this.live = live;
    this.facts = live.chapter.data.plane;
    this.place = live.box.querySelector(".plane");
    this.names = [...this.place.children]; // of the outputs
  }

  /** moment: after how many updates of a course; none as the numbers are now. */
  draw(course, moment) {
    const { live, facts } = this;
    const state = course?.states[moment] ?? live.rounds.start(live.edits);
    const value = (cell) => live.rounds.value(cell, state, live.edits);
    const samples = facts.samples.map((sample) => sample.map((cells) => cells.map(value)));
    const [columns, rows] = [0, 1].map((side) => around(samples.map(([inputs]) => inputs[side])));
    const answers = live.rounds.field(live.edits, state, [facts.inputs[0], columns], [facts.inputs[1], rows], facts.outputs);
    const field = new Field(columns, rows, facts.names[0], live.chapter.data.comma);
    const seen = facts.outputs.length > 1 ? this.largest(answers) : this.sides(answers, samples);
    const when = course ? this.place.dataset.then.replace("{count}", moment) : this.place.dataset.now;
    const marks = samples.map(([[x, y], targets]) => {
      const own = targets.length ? seen.of(targets) : undefined;
      const attributes = { d: CLASSES[own ?? 0], transform: `translate(${field.x(x).toFixed(1)} ${field.y(y).toFixed(1)})` };
      return element("svg:path", { ...attributes, class: own === undefined ? "sample" : `sample class-${own}` });
    });
    const said = seen.words.map(([text, own]) => text.replace("{name}", facts.names[1][own]));
    const drawn = field.drawn([when, ...said].join(" "), field.squares(seen.kind), [...seen.borders(field), ...marks]);
    const key = seen.words.map(([text, own], place) => {
      const [before, after] = text.split("{name}");
      return element("span", { class: "key" }, seen.swatch(place), " ", before, this.names[own].cloneNode(true), after);
    });
    this.place.replaceChildren(element("p", {}, this.place.dataset.title, " ", when), drawn, element("p", {}, ...key));
  }

  /** Of several outputs, which is the largest, and by how much. */
  largest(answers) {
    const { names } = this.facts;
    const of = (row) => row.indexOf(most(row));
    const ahead = (row, own) => row[own] - most(row.filter((_, place) => place !== own));
    const unit = Math.max(most(answers.flat().map((row) => ahead(row, of(row))).filter(Number.isFinite)), 1e-9);
    const level = (row) => Math.round((MAP.levels * ahead(row, of(row))) / unit) || 0;
    return {
      of,
      kind: (up, across) => [`class-${Math.max(of(answers[up][across]), 0)}`, level(answers[up][across])],
      borders: (field) => names[1].map((_, own) => field.border(answers.map((row) => row.map((each) => ahead(each, own))))),
      words: names[1].map((_, own) => [this.place.dataset.largest, own]),
      swatch: (own) => swatch(`class-${own}`, own),
    };
  }

  /** Of one output, on which side of the middle of its range it is, and how far; where it has none, how large it is. */
  sides(answers, samples) {
    const numbers = answers.flat(2).filter(Number.isFinite);
    const targets = samples.flatMap(([, own]) => own);
    const inside = (some) => some.length && RANGES.find((range) => some.every((number) => range[0] <= number && number <= range[1]));
    const range = inside(numbers) || (targets.every((target) => RANGES.flat().includes(target)) && inside(targets));
    const print = (number) => printed(number, this.live.rounding, false, false).replace("=", "").replace("-", "−");
    if (!range) {
      const [low, high] = [least(numbers), most(numbers)];
      const words = this.place.dataset.heights.replace("{low}", print(low)).replace("{high}", print(high));
      const level = (number) => (Number.isFinite(number) ? Math.round((MAP.levels * (number - low)) / (high - low || 1)) : 0);
      const kind = (up, across) => ["height", level(answers[up][across][0])];
      return { of: () => undefined, kind, borders: () => [], words: [[words, 0]], swatch: () => "" };
    }
    const middle = (range[0] + range[1]) / 2;
    const unit = Math.max(range[1] - middle, most(numbers.map((number) => Math.abs(number - middle))));
    const of = ([number]) => Number(number > middle);
    const level = (number) => Math.round((MAP.levels * Math.abs(number - middle)) / unit) || 0;
    const say = (text) => [text.replace("{number}", middle ? (this.live.chapter.data.comma ? "0,5" : "0.5") : "0"), 0];
    return {
      of,
      kind: (up, across) => [`class-${of(answers[up][across])}`, level(answers[up][across][0])],
      borders: (field) => [field.border(answers.map((row) => row.map(([number]) => number - middle)))],
      words: [say(this.place.dataset.below), say(this.place.dataset.above)],
      swatch: (own) => swatch(`class-${own}`, own),
    };
  }
}

/** The colour and the mark of a class. */
function swatch(name, own) {
  const mark = element("svg:path", { d: CLASSES[own], class: `sample ${name}` });
  return element("svg:svg", { viewBox: "-7 -7 14 14", class: "swatch", "aria-hidden": "true" }, mark);
}
