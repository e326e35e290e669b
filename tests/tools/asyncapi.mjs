// What the reference parser says of an AsyncAPI document: its diagnostics, as JSON.
import { readFile } from "node:fs/promises";
import parser from "@asyncapi/parser";

const { Parser } = parser;
const { diagnostics } = await new Parser().parse(await readFile(process.argv[2], "utf8"));
console.log(JSON.stringify(diagnostics.map(({ code, message, path }) => ({ code, message, path: path.join(".") }))));
