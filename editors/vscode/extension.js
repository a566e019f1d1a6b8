// The client of `aggc lsp`: it starts the server and leaves all else to it.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** @type {LanguageClient | undefined} */
let client;

async function start() {
  const command = vscode.workspace.getConfiguration("agg").get("server.path", "aggc");
  const next = new LanguageClient(
    "agg",
    "agg",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "agg" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.agg,manifests.yaml,manifests.yml,manifests.json}") },
    },
  );
  try {
    await next.start();
    client = next;
  } catch (err) {
    vscode.window.showErrorMessage(`agg: "${command} lsp" cannot be started (${err}). Set agg.server.path, or put aggc on the PATH.`);
  }
}

async function stop() {
  const last = client;
  client = undefined;
  await last?.stop();
}

async function restart() {
  await stop();
  await start();
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("agg.restart", restart),
    vscode.workspace.onDidChangeConfiguration((e) => {
      if (e.affectsConfiguration("agg.server.path")) restart();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
