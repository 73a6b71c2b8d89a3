// A receipt: number, lines, VAT, how it was paid. It may still be in the making when one arrives.

import { get, poll } from "../api.js";
import { clone, fill, find, onAction, say, show } from "../dom.js";
import { moment, money, named, number, page, text } from "../page.js";

const root = find("[data-receipt]");
const path = `/${page.source}/${page.id}/receipt`;
const AGAIN_S = 1.5;
const PATIENCE = 40;

function draw(receipt) {
  const { currency } = receipt;
  const total = money(receipt.total_cents, currency);
  fill(root, {
    number: receipt.number,
    issuer: named(receipt.issuer?.name ?? receipt.issuer) || null,
    issued: moment(receipt.issued_at),
    total,
    payment: receipt.payment?.state ? paymentWord(receipt.payment.state) : null,
    payment_label: receipt.payment?.method ?? receipt.payment?.label ?? null,
    journey: null,
  });
  show(find("[data-lines]", root), ...receipt.lines.map((line) => lineRow(line, currency)));
  show(find("[data-vat]", root), ...receipt.vat.map((part) => vatRow(part, currency)));
  find("[data-waiting]", root).hidden = true;
  root.removeAttribute("aria-busy");
}

function paymentWord(state) {
  return text(["captured", "settled", "paid"].includes(state) ? "state_settled" : state === "failed" ? "state_payment_due" : "state_priced");
}

const row = (first, second, third) => fill(clone("line-row"), { first, second, third });

function lineRow(line, currency) {
  const title = line.label || (page.texts[`line_${line.kind}`] ?? line.kind);
  const quantity = Number(line.quantity);
  const plain = line.unit === "" || line.unit === "piece" || line.unit === "flat";
  return row(title, plain ? number(quantity) : `${number(quantity, 2)} ${line.unit}`, money(line.cents, currency));
}

function vatRow(part, currency) {
  const rate = number(Number(part.rate) * (Number(part.rate) <= 1 ? 100 : 1), 1);
  return row(text("vat_at", { rate }), money(part.net_cents, currency), money(part.vat_cents, currency));
}

let tries = 0;

/** Written a moment after the ride: "not yet" is no error for a while. */
async function read() {
  try {
    return await get(path);
  } catch (error) {
    tries += 1;
    const early = error.status === 404 || error.status === 409;
    if (early && tries < PATIENCE) return null;
    find("[data-waiting]", root).hidden = true;
    say(root, error.message);
    throw error;
  }
}

function use(receipt) {
  if (!receipt) return false;
  draw(receipt);
  // A payment may still be on its way to the bank.
  return receipt.payment?.state !== "authorised" || (tries += 1) > PATIENCE;
}

onAction(root, { print: () => window.print() });

read()
  .then(use, () => true)
  .then((done) => done || poll(read, use, AGAIN_S));
