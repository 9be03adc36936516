// The editor of the problem: CodeMirror in the place of the plain field, with the keys and words of the schema, and faults at their lines.
// The element with data-handcalc="problem" has the text as its `value` then, as the field had.
import { autocompletion, completionKeymap } from "./codemirror/codemirror-autocomplete.js";
import { defaultKeymap, history, historyKeymap } from "./codemirror/codemirror-commands.js";
import { yaml } from "./codemirror/codemirror-lang-yaml.js";
import { defaultHighlightStyle, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from "./codemirror/codemirror-language.js";
import { lintGutter, setDiagnostics } from "./codemirror/codemirror-lint.js";
import { EditorState } from "./codemirror/codemirror-state.js";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "./codemirror/codemirror-view.js";
import { tags } from "./codemirror/lezer-highlight.js";

/* global site, field, solve, text */

// --- the schema ----------------------------------------------------------------------------------------------------------------------

const known = fetch("schema.json").then((response) => response.json());

/** A schema and all that it is one of. */
function* choices(schema, whole, depth = 0) {
  if (!schema || depth > 6) return;
  if (schema.$ref) yield* choices(whole.$defs[schema.$ref.split("/").pop()], whole, depth + 1);
  yield schema;
  for (const list of [schema.anyOf, schema.oneOf, schema.allOf]) for (const one of list ?? []) yield* choices(one, whole, depth + 1);
}

/** The schemas of what stands under a key, or in a list ([]). */
function below(schemas, step, whole) {
  return schemas.flatMap((schema) => {
    const inside = step === "[]" ? schema.items : (schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : null));
    return inside ? [...choices(inside, whole)] : [];
  });
}

/** Those of schemas that are of one type, as layers are: the type that is written there, else dense. */
function ofType(schemas, own) {
  const types = (schema) => schema.properties?.type?.enum ?? [schema.properties?.type?.const].filter(Boolean);
  const written = own.get("type") ?? "dense";
  if (!schemas.some((schema) => types(schema).includes(written))) return schemas;
  return schemas.filter((schema) => !types(schema).length || types(schema).includes(written));
}

/** Where a place is: the keys and lists around it, and what stands in its own mapping. */
function around(state, position) {
  const path = [];
  const own = new Map();
  let node = syntaxTree(state).resolveInner(position, -1);
  for (let inside = null; node; inside = node, node = node.parent) {
    if (node.name === "Pair") {
      const key = node.getChild("Key");
      if (key && key !== inside && key.to < position) path.unshift(state.sliceDoc(key.from, key.to).replace(/^["']|["']$/g, ""));
    } else if (node.name === "BlockSequence" || node.name === "FlowSequence") path.unshift("[]");
    else if ((node.name === "BlockMapping" || node.name === "FlowMapping") && !own.size)
      for (const pair of node.getChildren("Pair")) {
        const key = pair.getChild("Key");
        if (key) own.set(state.sliceDoc(key.from, key.to), state.sliceDoc(key.to, pair.to).replace(/^:\s*/, "").trim());
      }
  }
  return { path, own };
}

/** The same by indentation, for a line that is still empty, which the tree says nothing of. */
function byIndentation(state, position) {
  const line = state.doc.lineAt(position);
  let column = position - line.from - (/[\w-]*$/.exec(line.text.slice(0, position - line.from))[0].length);
  const path = [];
  const own = new Map();
  const item = /^\s*- /.exec(line.text);
  if (item && item[0].length <= column) path.unshift("[]");
  if (item) column = Math.min(column, item[0].length - 2 + 1);
  for (let number = line.number - 1; number > 0; number--) {
    const above = state.doc.line(number).text;
    const found = /^(\s*)((?:- )?)(?:([\w-]+):)?(.*)/.exec(above);
    if (!above.trim() || above.trim().startsWith("#")) continue;
    const [, spaces, dash, key, value] = found;
    const start = spaces.length + dash.length;
    if (key && start === column) own.set(key, value.trim());
    if (dash && start === column) {
      path.unshift("[]");
      column = spaces.length + 1;
    }
    if (key && start < column) {
      path.unshift(key);
      column = start;
      if (dash) {
        path.unshift("[]");
        column = spaces.length + 1;
      }
    }
    if (column <= 0) break;
  }
  return { path, own };
}

async function complete(context) {
  const word = context.matchBefore(/[\w-]*/);
  if (!context.explicit && !word?.text) return null;
  const schema = await known;
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, word.from - line.from);
  if (/#/.test(before)) return null;
  const isFresh = /^\s*(- )?$/.test(before);
  const { path, own } = isFresh ? byIndentation(context.state, context.pos) : around(context.state, context.pos);
  const isKey = isFresh || /[{,]\s*$/.test(before);
  let schemas = [...choices(schema, schema)];
  for (const step of path) schemas = below(schemas, step, schema);
  const options = new Map();
  if (isKey)
    for (const one of ofType(schemas, own))
      for (const [key, inside] of Object.entries(one.properties ?? {}))
        if (!own.has(key)) options.set(key, { label: key, type: "property", info: inside.description, apply: key + ": " });
  if (!isKey || path.at(-1) === "[]") {
    for (const one of schemas)
      for (const value of [...(one.enum ?? []), ...(one.const === undefined ? [] : [one.const])])
        options.set(String(value), { label: String(value), type: "enum" });
  }
  return options.size ? { from: word.from, options: [...options.values()], validFor: /^[\w-]*$/ } : null;
}

// --- the looks: colours of page.css ----------------------------------------------------------------------------------------------------

const looks = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: "0.86rem" },
  "&.cm-focused": { outline: "none" }, // the frame around it has one
  ".cm-scroller": { fontFamily: "var(--code)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--now) 45%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 28%, transparent) !important" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--rule)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--paper)" },
  ".cm-diagnosticText": { whiteSpace: "pre-wrap" },
});
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--soft)", fontStyle: "italic" },
  { tag: tags.string, color: "light-dark(#1d6b2b, #7ecb86)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--soft)" },
]);

// --- the editor ------------------------------------------------------------------------------------------------------------------------

const nonce = document.querySelector("script[data-nonce]").dataset.nonce;
const view = new EditorView({
  parent: field.parentNode,
  state: EditorState.create({
    doc: field.value,
    extensions: [
      EditorView.cspNonce.of(nonce),
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      highlightActiveLine(),
      EditorView.lineWrapping,
      EditorState.tabSize.of(2),
      yaml(),
      syntaxHighlighting(colours),
      syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
      autocompletion({ override: [complete], selectOnOpen: false, icons: false }),
      keymap.of([{ key: "Mod-Enter", run: () => (solve(), true) }, ...completionKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap]),
      EditorView.updateListener.of((update) => update.docChanged && site.typed()),
      EditorView.contentAttributes.of({ id: "problem", "data-handcalc": "problem", "data-name": "editor", "aria-label": text("editor"), spellcheck: "false", tabindex: "0" }),
      looks,
    ],
  }),
});

site.get = () => view.state.doc.toString();
site.set = (yaml) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: yaml } });
site.mark = (faults) => {
  const diagnostics = faults.map(({ line, message }) => {
    const place = view.state.doc.line(Math.min(line, view.state.doc.lines));
    return { from: place.from + /^\s*/.exec(place.text)[0].length, to: place.to, severity: "error", message };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
};
site.go = (line) => {
  const place = view.state.doc.line(Math.min(line, view.state.doc.lines));
  view.dispatch({ selection: { anchor: place.from, head: place.to }, scrollIntoView: true });
  view.focus();
};
Object.defineProperty(view.contentDOM, "value", { get: site.get, set: site.set });
field.remove();
site.start?.();
