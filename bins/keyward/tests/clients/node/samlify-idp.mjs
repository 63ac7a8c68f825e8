// One answer of samlify as an identity provider: what samlify.mjs is given on the standard input, what comes of it on the
// standard output.
import { text } from "node:stream/consumers";
import { answer } from "./samlify.mjs";

const given = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await answer(given)));
