#!/usr/bin/env node
// Starts the program of this platform, which an optional dependency carries.
"use strict";

const { spawnSync } = require("node:child_process");

const name = `@brokkr-publish/${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "brokkr-publish.exe" : "brokkr-publish";
let program;
try {
  program = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(`brokkr-publish: the package ${name} is not installed.`);
  console.error("If your platform is supported, install again with optional dependencies (npm install --include=optional).");
  console.error("Other ways to install: https://github.com/colliery-io/brokkr-publish#install");
  process.exit(1);
}

const ended = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (ended.error) {
  console.error(`brokkr-publish: ${ended.error.message}`);
  process.exit(1);
}
if (ended.signal) {
  process.kill(process.pid, ended.signal);
}
process.exit(ended.status ?? 1);
