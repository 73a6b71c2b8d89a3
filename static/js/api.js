// The one way these pages talk to the server: /api/v1 with the session cookie.

import { signIn, text } from "./page.js";

const ROOT = "/api/v1";
const TIMEOUT_MS = 15000;

/** A refusal, in a sentence a person can act on. */
export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(sentence(problem) || text(status ? "error_server" : "error_network"));
    this.status = status;
    this.code = problem.code || (status ? "internal_error" : "network");
    this.problem = problem;
  }
}

function sentence(problem) {
  const first = Object.values(problem.errors || {}).flat(2)[0];
  return typeof first === "string" ? first : problem.detail;
}

// The cookie is always of this very session; the field of a page that was kept for later may not be.
function csrfToken() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  const field = document.querySelector("[name=csrfmiddlewaretoken]");
  return cookie ? cookie[1] : (field?.value ?? "");
}

async function send(method, path, { params, body, headers = {} } = {}) {
  const query = params ? `?${new URLSearchParams(params)}` : "";
  let answer;
  try {
    answer = await fetch(ROOT + path + query, {
      method,
      headers: { Accept: "application/json", ...headers },
      body,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError(0);
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError(answer.status, data);
  return data;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const passes = (error) => error.status === 0 || error.status === 503 || error.status === 502;

async function withRetries(call, tries) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= tries || !passes(error)) throw error;
      await pause(400 * 2 ** attempt);
    }
  }
}

function expectSession(error) {
  if (error.status === 401 || error.code === "not_authenticated") signIn();
  throw error;
}

/** Read; a weak network is tried three times. */
export function get(path, params) {
  return withRetries(() => send("GET", path, { params }), 3).catch((error) => {
    if (error.status === 401) expectSession(error);
    throw error;
  });
}

/** Write once: the same key goes with every attempt, so a lost answer never acts twice. */
export function post(path, body = {}, { method = "POST" } = {}) {
  return withRetries(written(method, path, body, newKey()), 3).catch(expectSession);
}

/** Send a form with files, once like everything that is written. */
export function upload(path, form) {
  return withRetries(written("POST", path, form, newKey()), 3).catch(expectSession);
}

/** One attempt under a key that the caller keeps, and no log-in: for what is sent when the network is back. */
export function sendOnce(path, body, key) {
  return written("POST", path, body, key)();
}

function written(method, path, body, key) {
  const form = body instanceof FormData;
  return () =>
    send(method, path, {
      headers: {
        ...(form ? {} : { "Content-Type": "application/json" }),
        "X-CSRFToken": csrfToken(),
        "Idempotency-Key": key,
      },
      body: form ? body : JSON.stringify(body),
    });
}

// crypto.randomUUID needs a secure context; a phone on a test network may not have one.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ask again every `seconds` while the page is looked at, until `use` returns true. */
export function poll(read, use, seconds) {
  let stopped = false;
  let timer = 0;
  const turn = async () => {
    clearTimeout(timer);
    if (stopped) return;
    if (!document.hidden) {
      try {
        if (use(await read()) === true) stopped = true;
      } catch (error) {
        if (error.status && error.status < 500 && error.status !== 429) stopped = true;
      }
    }
    if (!stopped) timer = setTimeout(turn, seconds * 1000);
  };
  const wake = () => document.hidden || turn();
  document.addEventListener("visibilitychange", wake);
  timer = setTimeout(turn, seconds * 1000);
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
  };
}
