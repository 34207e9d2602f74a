// nodemailer's pool: N mails of text and HTML over 10 connections, MIME built for each. Prints seconds and count.
import { createRequire } from "node:module";
const require = createRequire(process.argv[2] + "/node_modules/");
const nodemailer = require("nodemailer");
const [port, count] = [Number(process.argv[3]), Number(process.argv[4])];
const { subject, text, html } = JSON.parse(process.env.MAIL);
const transport = nodemailer.createTransport({
  host: "127.0.0.1", port, secure: false, ignoreTLS: true,
  pool: true, maxConnections: 10, maxMessages: Infinity,
});
const began = process.hrtime.bigint();
let accepted = 0;
const sendings = [];
for (let n = 0; n < count; n++) {
  sendings.push(transport.sendMail({
    from: "Your Server <tracker@example.org>", to: `Person Number${n} <person${n}@example.org>`,
    replyTo: "tracker@example.org", subject, text, html,
  }).then((info) => { accepted += info.accepted.length; }));
}
await Promise.all(sendings);
const seconds = Number(process.hrtime.bigint() - began) / 1e9;
transport.close();
console.log(JSON.stringify({ seconds, accepted }));
