// Deeds in the order they were done. Each is sent once, under a key of its own, whenever there is a network.
// What the city refuses is told in plain words, with what to do; what builds upon it is not sent.

import { newKey, sendOnce } from "../api.js";
import { page, text } from "../page.js";
import { append, remove, rows } from "./store.js";

const AGAIN_MS = 10000;
// Nothing in it can be acted on while the person is not let in.
const LOG_IN = new Set(["not_authenticated", "authentication_failed"]);
// A deed that nobody answered for in a day is looked at by people: keys are remembered two days.
const TOO_OLD_MS = 24 * 3600 * 1000;
const BUILDS_UPON = { claim: ["arrive", "complete", "photo"], arrive: [], complete: [], photo: [], problem: [], drop: [] };

export class Queue {
  /** `changed()` after every step; `answered(deed, answer)` with what the city said of one. */
  constructor({ changed, answered }) {
    this.changed = changed;
    this.answered = answered;
    this.mine = [];
    this.told = [];
    this.state = "idle";
  }

  async begin() {
    await this.read();
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
    setInterval(() => this.mine.length && this.send(), AGAIN_MS);
    return this.send();
  }

  async read() {
    const own = (row) => row.person === page.me;
    this.mine = (await rows("queue")).filter(own);
    this.told = (await rows("told")).filter(own);
    this.changed();
  }

  /** Note a deed: kept on the phone first, sent then. `about` names its task for people. */
  async add({ verb, task, about, body = {}, photo = null }) {
    await append("queue", { person: page.me, key: newKey(), at: new Date().toISOString(), verb, task, about, body, photo });
    await this.read();
    this.send();
  }

  async understood(id) {
    await remove("told", id);
    await this.read();
  }

  /** Send what waits, one after the other; two windows of one phone take turns. */
  send() {
    if (!navigator.locks) return this.sendAll();
    return navigator.locks.request("giro-crew-queue", { ifAvailable: true }, (lock) => (lock ? this.sendAll() : undefined));
  }

  async sendAll() {
    await this.read();
    while (this.mine.length) {
      const [deed] = this.mine;
      this.state = "sending";
      this.changed();
      try {
        const answer = await post(deed);
        await remove("queue", deed.id);
        this.state = "idle";
        await this.read();
        await this.answered(deed, answer);
      } catch (error) {
        if (waits(error)) {
          this.state = LOG_IN.has(error.code) || error.status === 401 ? "log-in" : "waiting";
          this.changed();
          return;
        }
        await this.refused(deed, error);
      }
    }
    this.state = "idle";
    this.changed();
  }

  async refused(deed, error) {
    const useless = this.mine.filter((other) => other.task === deed.task && BUILDS_UPON[deed.verb].includes(other.verb));
    const done = useless.some(({ verb }) => verb === "complete");
    await remove("queue", deed.id);
    for (const other of useless) await remove("queue", other.id);
    await append("told", { person: page.me, about: deed.about, verb: deed.verb, words: error.message, advice: advice(deed, error, done) });
    await this.read();
    await this.answered(deed, error.problem?.task || null);
  }
}

function post({ task, verb, body, photo, key, at }) {
  if (Date.now() - Date.parse(at) > TOO_OLD_MS) {
    const late = new Error(text("told_too_old"));
    return Promise.reject(Object.assign(late, { status: 410, code: "too_old" }));
  }
  if (verb !== "photo") return sendOnce(`/fleet/tasks/${task}/${verb}`, verb === "drop" || verb === "problem" ? body : { ...body, happened_at: at }, key);
  const form = new FormData();
  form.append("photo", photo, "photo.jpg");
  return sendOnce(`/fleet/tasks/${task}/photos`, form, key);
}

const waits = ({ status, code }) =>
  !status || status >= 500 || status === 401 || status === 408 || status === 429 || LOG_IN.has(code) || code === "request_in_progress" || /csrf/i.test(code || "");

/** What to do about a refusal, by its code. */
function advice({ verb }, { code, problem = {} }, done) {
  const aboard = done ? ` ${text("do_put_back")}` : "";
  if (code === "task_dropped") {
    const why = problem.task?.drop_reason;
    const known = { rented: "do_rented", moved: "do_moved", replanned: "do_replanned", plan_closed: "do_closed" }[why];
    return text(known || "do_next") + aboard;
  }
  if (code === "not_your_task" || code === "lost_race") return text("do_other_crew") + aboard;
  if (code === "illegal_move") return text(verb === "claim" ? "do_other_crew" : "do_look") + aboard;
  if (code === "plan_not_workable") return text("do_closed") + aboard;
  if (code === "nothing_aboard" || code === "wrong_vehicles") return text("do_check_van");
  if (verb === "complete") return text("do_again");
  return text("do_office");
}
