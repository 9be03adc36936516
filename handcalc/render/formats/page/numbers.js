"use strict";
// Numbers as an evaluation has them (core/evaluation.py): whole numbers and fractions (bigint, Ratio) as long as they are rational and
// short, else floats; and numbers as they are printed (core/rounding.py). Nothing here knows a network or a page.

const SMALL = 1e-6; // a sum above is no noise of terms of a usual size
const NOISE = 1e-13;
const SHORT = 512; // bits of a fraction where fractions are not asked for
const LONG = 6600; // where they are

/** A number has no value; kind: overflow, zero or undefined. */
class Trouble extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const size = (whole) => (whole < 0n ? -whole : whole);

class Ratio {
  constructor(above, below) {
    this.above = above;
    this.below = below;
  }

  /** above/below in lowest terms; a whole number as such. */
  static of(above, below) {
    if (below === 0n) throw new Trouble("zero");
    let [one, other] = [size(above), size(below)];
    while (other) [one, other] = [other, one % other];
    if (below < 0n) one = -one;
    return below === one ? above / one : new Ratio(above / one, below / one);
  }
}

const parts = (value) => (typeof value === "bigint" ? [value, 1n] : [value.above, value.below]);
const isFloat = (value) => typeof value === "number";
const bits = (whole) => (whole === 0n ? 0 : size(whole).toString(2).length);

/** The float next to a number. */
function float(value) {
  if (isFloat(value)) return value;
  const [above, below] = parts(value);
  const found = quotient(size(above), below);
  if (!Number.isFinite(found)) throw new Trouble("overflow");
  return above < 0n ? -found : found;
}

/** What a fraction is more than the float next to it. */
function rest(value) {
  if (isFloat(value)) return 0;
  let [near, below] = [float(value), 1n];
  for (; !Number.isInteger(near); near *= 2) below *= 2n;
  return float(sub(value, Ratio.of(BigInt(near), below)));
}

/** above/below, correctly rounded: a whole number of 64 bits, whose last bit says whether there is a rest, times a power of two. */
function quotient(above, below) {
  const exact = 9007199254740992n;
  if (above <= exact && below <= exact) return Number(above) / Number(below);
  const shift = 64 - bits(above) + bits(below);
  const [up, down] = shift >= 0 ? [above << BigInt(shift), below] : [above, below << BigInt(-shift)];
  const whole = Number((up / down) | (up % down ? 1n : 0n));
  return shift > 1000 ? (whole / 2 ** 1000) / 2 ** (shift - 1000) : whole / 2 ** shift;
}

// --- arithmetic ---

function add(...terms) {
  return terms.reduce((a, b) => {
    if (isFloat(a) || isFloat(b)) return float(a) + float(b);
    const [[p, q], [r, s]] = [parts(a), parts(b)];
    return Ratio.of(p * s + r * q, q * s);
  });
}

function mul(...factors) {
  return factors.reduce((a, b) => {
    if (isFloat(a) || isFloat(b)) return float(a) * float(b);
    const [[p, q], [r, s]] = [parts(a), parts(b)];
    return Ratio.of(p * r, q * s);
  });
}

const neg = (a) => (isFloat(a) || typeof a === "bigint" ? -a : new Ratio(-a.above, a.below));
const sub = (a, b) => add(a, neg(b));

function div(a, b) {
  if (isFloat(a) || isFloat(b)) {
    if (float(b) === 0) throw new Trouble("zero");
    return float(a) / float(b);
  }
  const [[p, q], [r, s]] = [parts(a), parts(b)];
  return Ratio.of(p * s, q * r);
}

/** Less than 0, 0 or more than 0, as a is less than b, equal or more. */
function compare(a, b) {
  if (isFloat(a) || isFloat(b)) return float(a) - float(b);
  const [[p, q], [r, s]] = [parts(a), parts(b)];
  return p * s < r * q ? -1 : p * s > r * q ? 1 : 0;
}

const listed = (values) => (Array.isArray(values[0]) ? values[0] : values);
const max = (...values) => listed(values).reduce((best, value) => (compare(value, best) > 0 ? value : best));
const min = (...values) => listed(values).reduce((best, value) => (compare(value, best) < 0 ? value : best));
const abs = (a) => (compare(a, 0n) < 0 ? neg(a) : a);

let rational = true; // whether nothing was used since that makes a number irrational

function power(base, exponent) {
  const whole = isFloat(exponent) ? Number.isInteger(exponent) : typeof exponent === "bigint";
  if (!whole) rational = false;
  if (compare(base, 0n) === 0 && compare(exponent, 0n) < 0) throw new Trouble("zero");
  const count = Number(exponent instanceof Ratio ? float(exponent) : exponent);
  let own = base;
  if (!isFloat(base)) own = shorter(base, Math.abs(count));
  if (whole && Math.abs(count) < 1000 && !isFloat(own)) {
    const [above, below] = parts(own).map((part) => part ** BigInt(Math.abs(count)));
    return count < 0 ? Ratio.of(below, above) : Ratio.of(above, below);
  }
  const found = float(own) ** count;
  if (Number.isNaN(found)) throw new Trouble("undefined");
  if (!Number.isFinite(found)) throw new Trouble("overflow");
  return found;
}

/** An exact number, as a float once it is too long to go on with. */
function shorter(value, times = 1) {
  const near = float(value);
  return Math.max(...parts(value).map(bits)) * times > LONG ? near : value;
}

function short(value) {
  const [above, below] = parts(value);
  return bits(above) + bits(below) > SHORT ? float(value) : value;
}

/** A sum of floats: 0 where it is nothing but the noise of its terms. */
const settled = (value, terms) => (Math.abs(value) <= NOISE * Math.max(...terms.map((term) => Math.abs(float(term)))) ? 0 : value);
const settle = (value, ...terms) => (isFloat(value) ? settled(value, terms) : value);

/** A sum that a step is worth. */
function sum(...terms) {
  const value = add(...terms);
  return isFloat(value) && Math.abs(value) < SMALL ? settled(value, terms) : value;
}

/** What a step is worth; where it has no value, what it is worth with 0·ln 0 = 0 (core/vanishing.py). */
function attempt(plainly, again) {
  const before = rational;
  try {
    return plainly();
  } catch (trouble) {
    if (!(trouble instanceof Trouble) || trouble.kind === "overflow") throw trouble;
    const whether = rational;
    rational = before;
    try {
      return again();
    } catch {
      rational = whether;
      throw trouble;
    }
  }
}

/** A term that is 0 where one of these values is, or all of them if it is a quotient and has no logarithms. */
function zeroOr(values, logarithmsOf, otherwise) {
  const zero = values.filter((value) => compare(value, 0n) === 0);
  const enough = logarithmsOf.length ? 1 : values.length;
  return zero.length >= enough && logarithmsOf.every((value) => compare(value, 0n) >= 0) ? zero[0] : otherwise();
}

// --- functions ---

/** A function of floats; where it has no value, or one too large, that is a trouble. */
const real = (own) => (value) => {
  const [argument, found] = [float(value), own(float(value))];
  if (Number.isNaN(found) || (found === -Infinity && argument === 0)) throw new Trouble("undefined");
  if (!Number.isFinite(found)) throw new Trouble("overflow");
  return found;
};

/** The error function: its series near 0, beyond a continued fraction of what is missing to 1. */
function erf(x) {
  const [far, square] = [Math.abs(x), x * x];
  if (far > 6) return Math.sign(x);
  if (far < 2.5) {
    let [term, total] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
      term *= -square / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let below = far;
  for (let n = 80; n > 0; n--) below = far + n / 2 / below;
  return Math.sign(x) * (1 - Math.exp(-square) / (Math.sqrt(Math.PI) * below));
}

/** A sum of floats without the errors of its partial sums. */
function fsum(values) {
  let [total, lost] = [0, 0];
  for (const value of values.map(float)) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

const floor = (a) => {
  if (isFloat(a)) return BigInt(Math.floor(a));
  const [above, below] = parts(a);
  return above / below - (above % below < 0n ? 1n : 0n);
};

const math = { pi: Math.PI, erf: real(erf), fsum, floor };
for (const name of ["exp", "log", "log1p", "expm1", "log10", "log2", "sqrt", "sin", "cos", "tan", "tanh"]) math[name] = real(Math[name]);

/** A function of core/functions.py. One that is not rational is first told whether all before it was: what it is worth is, for a few
 * arguments, whatever these are made of. */
function made(own, { rational: kept, family, exact }) {
  if (kept) return own;
  return (before, ...values) => {
    rational = before && !family && values.length === 1 && exact.some((known) => compare(known, values[0]) === 0);
    return own(...values);
  };
}

// --- printed numbers ---

const ten = (places) => 10n ** BigInt(places);

/** A number as whole numbers above/below; a float through its shortest spelling. */
function ratio(value) {
  if (!isFloat(value)) return parts(value);
  const [digits, exponent] = value.toString().split("e");
  const [whole, decimals = ""] = digits.split(".");
  const scale = Number(exponent ?? 0) - decimals.length;
  return scale >= 0 ? [BigInt(whole + decimals) * ten(scale), 1n] : [BigInt(whole + decimals), ten(-scale)];
}

/** The power of ten of the first digit. */
function magnitude(above, below) {
  const long = size(above);
  const found = long.toString().length - below.toString().length;
  return (found >= 0 ? long >= below * ten(found) : long * ten(-found) >= below) ? found : found - 1;
}

/** The whole number nearest to above/below·10^places. */
function rounded(above, below, places, ties) {
  const [up, down] = places >= 0 ? [size(above) * ten(places), below] : [size(above), below * ten(-places)];
  let whole = up / down;
  const half = 2n * (up % down) - down;
  if ((ties === "half_up" && half >= 0n) || (ties === "half_even" && (half > 0n || (half === 0n && whole % 2n)))) whole += 1n;
  return above < 0n ? -whole : whole;
}

function significantly(above, below, digits, ties) {
  const places = digits - 1 - magnitude(above, below);
  const whole = rounded(above, below, places, ties);
  return size(whole).toString().length > digits ? [whole / 10n, places - 1] : [whole, places];
}

function spelled(whole, places) {
  if (places <= 0) return (whole * ten(-places)).toString();
  const digits = size(whole).toString().padStart(places + 1, "0");
  return (whole < 0n ? "-" : "") + digits.slice(0, -places) + "." + digits.slice(-places);
}

const stripped = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

/** What the next step uses where results are rounded. */
function carried(value, { decimals, significant, ties }) {
  const [above, below] = ratio(value);
  if (above === 0n) return 0n;
  const [whole, places] =
    decimals === null ? significantly(above, below, significant || 6, ties) : [rounded(above, below, decimals, ties), decimals];
  return Ratio.of(whole * ten(Math.max(-places, 0)), ten(Math.max(places, 0)));
}

/** The number as printed, with = before it where it is exact: "=0.5", "0.3333", "1.2e-7". */
function printed(value, { decimals, significant, ties, carry }, exact, padded) {
  const [above, below] = ratio(value);
  if (above === 0n) return "=0";
  const same = (whole, places) => {
    const [left, right] = [whole * below * ten(Math.max(-places, 0)), above * ten(Math.max(places, 0))];
    return left === right || (isFloat(value) && size(left - right) * ten(13) <= size(right));
  };
  const scientific = (digits) => {
    const [whole, places] = significantly(above, below, digits, ties);
    const [text, end] = [spelled(whole, digits - 1), digits - 1 - places];
    const sure = exact && same(whole, places);
    return (sure ? "=" + stripped(text) : text) + (end ? "e" + end : "");
  };
  let [whole, places] = [0n, decimals];
  if (decimals !== null) {
    whole = rounded(above, below, decimals, ties);
    if (whole === 0n) return carry ? "0" : scientific(Math.max(decimals, 1));
  } else {
    const digits = significant || 6;
    const first = magnitude(above, below);
    if (first < -5 || first >= Math.max(digits, 6)) return scientific(digits);
    [whole, places] = significantly(above, below, digits, ties);
  }
  const text = spelled(whole, places);
  return exact && same(whole, places) ? "=" + (padded ? text : stripped(text)) : text;
}

const WIDE = "０１２３４５６７８９．。，－＋−–／"; // as Chinese keyboards type them
const NARROW = "0123456789...-+--/";

/** A number as somebody types it, with its digits: 0.5, -1, 1e-3, 1/3, with a decimal comma or wide digits too; null where it is none,
 * or none that a computer has. */
function typed(text) {
  const plain = text.trim().replace(",", ".").replace(new RegExp(`[${WIDE}]`, "g"), (sign) => NARROW[WIDE.indexOf(sign)]);
  const found = /^([+-]?)(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE]([+-]?\d{1,3}))?(?:\/(\d{1,40}(?:\.\d{1,40})?))?$/.exec(plain);
  if (!found || (found[3] !== undefined && found[4] !== undefined)) return null;
  const [, sign, digits, exponent, under] = found;
  const exactly = (number) => {
    const [whole, decimals = ""] = number.split(".");
    return Ratio.of(BigInt(whole + decimals), ten(decimals.length));
  };
  const scale = Number(exponent ?? 0);
  if (under !== undefined && compare(exactly(under), 0n) === 0) return null;
  const size = Number(`${digits}e${scale}`);
  if (size === Infinity || (size === 0 && /[1-9]/.test(digits))) return null;
  let value = mul(exactly(digits), scale < 0 ? Ratio.of(1n, ten(-scale)) : ten(scale));
  if (under !== undefined) value = div(value, exactly(under));
  const shown = (digits.startsWith(".") ? "0" : "") + digits.replace(/\.$/, "") + (exponent === undefined ? "" : "e" + exponent) + (under ? "/" + under : "");
  return { value: sign === "-" ? neg(value) : value, text: (sign === "-" && compare(value, 0n) ? "-" : "") + shown };
}
