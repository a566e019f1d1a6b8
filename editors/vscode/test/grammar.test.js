// Tokenizes with the engine that VS Code uses. `npm test`, or `make test-all` from the root.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const root = path.join(__dirname, "..");
const grammarFile = path.join(root, "syntaxes", "agg.tmLanguage.json");

async function load() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (s) => new oniguruma.OnigString(s),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile),
  });
  return registry.loadGrammar("source.agg");
}

const grammar = load();

/** Gives the tokens of text, each with its innermost scope. */
async function tokens(text) {
  const g = await grammar;
  let stack = INITIAL;
  const out = [];
  for (const line of text.split(/\r?\n/)) {
    const r = g.tokenizeLine(line, stack);
    for (const t of r.tokens) out.push({ text: line.slice(t.startIndex, t.endIndex), scopes: t.scopes });
    stack = r.ruleStack;
  }
  return { out, depth: stack.depth };
}

// Each line: the text, then pairs of a token and a part of its innermost scope.
const cases = [
  ["/// what it is", "/// what it is", "comment.line.documentation"],
  ["//// plain", "//// plain", "comment.line.double-slash"],
  ['import "money.agg"', "import", "keyword.control.import", "money.agg", "string.quoted.double"],
  ["aggregate Account {", "aggregate", "keyword.declaration", "Account", "entity.name.type.class"],
  ["ordered enum Size { small, big }", "ordered", "storage.modifier", "enum", "keyword.declaration", "Size", "entity.name.type.enum"],
  ["record Hold { amount: decimal, until: time? }", "Hold", "entity.name.type.struct", "amount", "variable.other.member", "decimal", "support.type", "time", "support.type"],
  ["  state {", "state", "keyword.declaration"],
  ["  x: map<uuid, list<Hold, 50>, max_holds>", "map", "support.type", "uuid", "support.type", "list", "support.type", "Hold", "entity.name.type", "50", "constant.numeric.integer", "max_holds", "variable.other.constant"],
  ["  command withdraw creates by teller { amount: decimal where amount > 0 }", "command", "keyword.declaration", "withdraw", "entity.name.function", "creates", "storage.modifier", "by", "storage.modifier", "where", "keyword.control"],
  // Contextual words are names where they stand as such.
  ["  command: string", "command", "variable.other.member"],
  ["  event: time = open", "event", "variable.other.member", "time", "support.type"],
  ["  test: int", "test", "variable.other.member"],
  ["  let state_ = cmd.state.index", "cmd", "variable.language", "state", "variable.other.member", "index", "variable.other.member"],
  ["  emit: int", "emit", "variable.other.member"],
  ["  event deposited @2 { amount: decimal }", "event", "keyword.declaration", "deposited", "entity.name.function", "@2", "constant.numeric.version"],
  ["  upcast deposited @1 -> account_opened @2 { ..old }", "upcast", "keyword.declaration", "deposited", "entity.name.function", "->", "keyword.operator.arrow", "account_opened", "entity.name.function", "old", "variable.language"],
  ["  decide withdraw {", "decide", "keyword.declaration", "withdraw", "entity.name.function"],
  ["  apply frozen { state.status = frozen }", "apply", "keyword.declaration", "state", "variable.language", "status", "variable.other.member", "=", "keyword.operator.assignment"],
  ['    require state.open else not_open "it is {state.status} \\{now\\}"', "require", "keyword.control", "else", "keyword.control", "it is ", "string.quoted", "{", "punctuation.section.interpolation.begin", "status", "variable.other.member", "\\{", "constant.character.escape"],
  ['    let t = "a {f("x {y}")} b"', "f", "entity.name.function", "x ", "string.quoted", " b", "string.quoted"],
  ["    require matches(s, `^[A-Z]{3}$`) else bad", "matches", "support.function", "^[A-Z]{3}$", "string.quoted.other.raw", "else", "keyword.control"],
  ["    emit withdrawn { ..cmd, fee: fee(cmd.amount) }", "emit", "keyword.control", "withdrawn", "entity.name.function", "cmd", "variable.language"],
  ["    if x is some v and not y in 1..5 { nothing }", "is", "keyword.operator.word", "some", "keyword.operator.word", "and", "keyword.operator.word", "not", "keyword.operator.word", "in", "keyword.operator.word", "..", "keyword.operator.range", "nothing", "keyword.control"],
  ["    let until = ctx.now + 1h30m + 90s", "ctx", "variable.language", "1h30m", "constant.numeric.duration", "90s", "constant.numeric.duration"],
  ["    let n = 1_000 + 0.5", "1_000", "constant.numeric.integer", "0.5", "constant.numeric.decimal"],
  ["    let t = sum(h.amount for _, h in state.holds)", "sum", "support.function", "for", "keyword.control"],
  ["    let x = if true then none else false", "true", "constant.language", "then", "keyword.control", "none", "constant.language"],
  ["    match e { open => { reject closed } }", "match", "keyword.control", "=>", "keyword.operator.arrow", "reject", "keyword.control", "closed", "constant.other.code"],
  ["    let s = Status.open ?? time(\"2026-01-01T00:00:00Z\")", "Status", "entity.name.type", "open", "variable.other.member", "??", "keyword.operator.comparison", "time", "support.function"],
  ['test "a {b}" for Account cases a, b { (1, 2) } {', "test", "keyword.declaration", "Account", "entity.name.type", "cases", "keyword.declaration"],
  ["  given opened @1 { at: 1 }", "given", "keyword.control.test", "opened", "entity.name.function"],
  ["  given state { open: true }", "given", "keyword.control.test", "state", "variable.language"],
  ["  when withdraw { amount: 1 }", "when", "keyword.control.test", "withdraw", "entity.name.function"],
  ["  then emit withdrawn { amount: _ }", "then", "keyword.control.test", "emit", "keyword.control.test", "withdrawn", "entity.name.function"],
  ["  then gas <= 500", "gas", "keyword.control.test"],
  ['  at "2026-01-01T00:00:00Z"', "at", "keyword.control.test"],
  ['  as { roles: ["teller"] }', "as", "keyword.control.test", "roles", "variable.other.member"],
  ["  repeat 45 { given deposited { amount: 1 } }", "repeat", "keyword.control.test", "45", "constant.numeric.integer", "given", "keyword.control.test"],
  ["  gas 20_000", "gas", "keyword.declaration"],
  ["  snapshot every 50", "snapshot", "keyword.declaration", "every", "keyword.declaration"],
  ["  roles teller, manager // who", "roles", "keyword.declaration", "manager", "variable.other.member", "// who", "comment.line"],
];

for (const [line, ...want] of cases) {
  test(line.trim(), async () => {
    const { out } = await tokens(line);
    let from = 0;
    for (let i = 0; i < want.length; i += 2) {
      const at = out.findIndex((t, n) => n >= from && t.text.trim() === want[i].trim());
      assert.notEqual(at, -1, `there is no token ${want[i]} in ${JSON.stringify(out)}`);
      const scope = out[at].scopes[out[at].scopes.length - 1];
      assert.ok(scope.startsWith(want[i + 1]), `${want[i]}: got ${scope}, want ${want[i + 1]}`);
      from = at + 1;
    }
  });
}

function* manifests(dir) {
  for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
    if (e.name.startsWith(".") || e.name === "node_modules" || e.name === "testdata") continue;
    const p = path.join(dir, e.name);
    if (e.isDirectory()) yield* manifests(p);
    else if (p.endsWith(".agg")) yield p;
  }
}

const repo = path.join(root, "..", "..");
for (const file of manifests(path.join(repo, "examples"))) {
  test(path.relative(repo, file), async () => {
    const { out, depth } = await tokens(fs.readFileSync(file, "utf8"));
    assert.equal(depth, 1, "something stays open at the end");
    const wrong = out.filter((t) => t.scopes.some((s) => s.startsWith("invalid.")));
    assert.deepEqual(wrong, [], "valid text is marked as wrong");
    // What is left without a scope of its own are names of locals, members and codes only.
    const bare = new Set(out.filter((t) => t.scopes.every((s) => s === "source.agg" || s.startsWith("meta."))).flatMap((t) => t.text.match(/[A-Za-z_]\w*/g) ?? []));
    for (const word of ["aggregate", "command", "decide", "emit", "require", "test", "given", "when"]) {
      assert.ok(!bare.has(word), `${word} has no scope`);
    }
  });
}
