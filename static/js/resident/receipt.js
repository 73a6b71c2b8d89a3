// A receipt: number, lines, VAT, how it was paid. It may still be in the making when one arrives.

import { get, poll, post } from "../api.js";
import { busy, clone, fill, find, onAction, say, show } from "../dom.js";
import { moment, money, number, page, text } from "../page.js";

const root = find("[data-receipt]");
const path = `/${page.source}/${page.id}/receipt`;
const AGAIN_S = 1.5;
const PATIENCE = 40;
const MEASURED = new Set(["min", "km", "kWh", "h"]);

function draw(receipt) {
  const { currency, payment } = receipt;
  const total = money(receipt.total_cents, currency);
  fill(root, {
    number: receipt.number,
    issuer: issuerLine(receipt.issuer),
    issued: moment(receipt.issued_at),
    total,
    payment: text(`payment_${payment.state}`),
    payment_label: payment.method,
    pdf: `/api/v1/receipts/${receipt.id}/receipt.pdf`,
    due: payment.state === "due" || null,
    lines: receipt.lines.length > 0 || null,
  });
  show(find("[data-lines]", root), ...receipt.lines.map((line) => lineRow(line, currency)));
  show(find("[data-vat]", root), ...receipt.vat.map((part) => vatRow(part, currency)));
  find("[data-waiting]", root).hidden = true;
  root.removeAttribute("aria-busy");
}

const issuerLine = ({ name, vat_number: vat, address }) => [name, address, vat && `P. IVA ${vat}`].filter(Boolean).join(" · ");

const row = (first, second, third) => fill(clone("line-row"), { first, second, third });

function lineRow(line, currency) {
  const measured = MEASURED.has(line.unit) ? ` ${line.unit}` : "";
  return row(text(`line_${line.kind}`), number(Number(line.quantity), 3) + measured, money(line.cents, currency));
}

function vatRow(part, currency) {
  const rate = number(Number(part.rate) * 100, 1);
  return row(text("vat_at", { rate }), money(part.net_cents, currency), money(part.vat_cents, currency));
}

let tries = 0;
let payment = null;

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
  payment = receipt.payment;
  // It may still be on its way to the bank.
  return !["authorised", "capturing"].includes(payment.state) || (tries += 1) > PATIENCE;
}

/** Pay what is still due, with the card that is the default one now. */
function pay(button) {
  return busy(button, async () => {
    try {
      await post(`/payments/${payment.id}/pay`);
      tries = 0;
      poll(read, use, AGAIN_S);
    } catch (error) {
      say(root, error.message);
    }
  });
}

onAction(root, { print: () => window.print(), pay });

read()
  .then(use, () => true)
  .then((done) => done || poll(read, use, AGAIN_S));
