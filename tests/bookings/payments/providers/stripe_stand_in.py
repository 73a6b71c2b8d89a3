"""A stand-in that speaks Stripe's wire shapes on loopback: enough of the API to be asked by
Stripe's own library, with its idempotency, its refusals and its silences."""

import itertools
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CAPTURE_BEFORE = 1_790_000_000
# Cards by the id of their payment method.
DECLINES, ASKS, LAPSES = "pm_declines", "pm_asks", "pm_lapses"


def refusal(status: int, kind: str, code: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """An error in Stripe's shape."""
    return status, {"error": {"type": kind, "code": code, "message": code, **more}}


class Account:
    """What Stripe remembers of one account."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.setups: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.in_flight: set[str] = set()
        self.lose_next_answer = 0
        self.fail_next = 0
        self.ids = itertools.count(1)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.ids):024d}"

    def answer(
        self, verb: str, path: str, form: dict[str, Any], key: str | None
    ) -> tuple[int, dict[str, Any]]:
        self.asked.append((verb, path, form))
        if key in self.in_flight:
            return refusal(409, "idempotency_error", "idempotency_key_in_use")
        if self.fail_next:
            self.fail_next -= 1
            return refusal(500, "api_error", "internal")
        if key and key in self.answers:
            return self.answers[key]
        given = self.do(verb, path, form)
        if key:
            self.answers[key] = given
        return given

    def do(self, verb: str, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.look(path, form) if verb == "GET" else self.make(path, form)

    def look(self, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/balance_transactions":
            return 200, self.page(form)
        if path == "/v1/payment_intents":
            since = int(form["created"]["gte"])
            mine = [one for one in self.intents.values() if one["customer"] == form["customer"]]
            return 200, self.all_of([one for one in mine if one["created"] >= since], path)
        if path == "/v1/refunds":
            of = form["payment_intent"]
            mine = [one for one in self.refunds if one["payment_intent"] == of]
            return 200, self.all_of(mine, path)
        shelf, name = path.removeprefix("/v1/").rsplit("/", 1)
        shelves = {
            "setup_intents": self.setups,
            "checkout/sessions": self.sessions,
            "payment_intents": self.intents,
        }
        if name in shelves[shelf]:
            return 200, shelves[shelf][name]
        return refusal(404, "invalid_request_error", "resource_missing")

    def all_of(self, things: list[dict[str, Any]], path: str) -> dict[str, Any]:
        newest_first = [dict(one) for one in reversed(things)]
        return {"object": "list", "url": path, "data": newest_first, "has_more": False}

    def forget_keys(self) -> None:
        """A day goes by."""
        self.answers.clear()

    def make(self, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/customers":
            return 200, {"id": self.new_id("cus"), "object": "customer"}
        if path == "/v1/setup_intents":
            return 200, self.set_up(form)
        if path == "/v1/checkout/sessions":
            return 200, self.session(form)
        if path == "/v1/payment_intents":
            return self.create(form)
        if path == "/v1/refunds":
            return self.refund(form)
        match = re.fullmatch(r"/v1/payment_intents/(\w+)/(\w+)", path)
        assert match, path
        return getattr(self, match[2])(self.intents[match[1]], form)

    def set_up(self, form: dict[str, Any]) -> dict[str, Any]:
        one = {
            "id": self.new_id("seti"), "object": "setup_intent", "customer": form["customer"],
            "metadata": form["metadata"], "status": "requires_payment_method",
            "client_secret": "seti_secret", "payment_method": None,
        }  # fmt: skip
        self.setups[one["id"]] = one
        return one

    def session(self, form: dict[str, Any]) -> dict[str, Any]:
        setup = self.set_up(
            {"customer": form["customer"], "metadata": form["setup_intent_data"]["metadata"]}
        )
        one = {
            "id": self.new_id("cs_test"), "object": "checkout.session", "setup_intent": setup,
            "url": "https://checkout.stripe.example/c/1", "success_url": form["success_url"],
        }  # fmt: skip
        self.sessions[one["id"]] = one
        return one

    def finish_setup(self, setup: dict[str, Any], method: str = "pm_ok") -> None:
        """The person has typed in a card."""
        card = {"brand": "visa", "display_brand": "visa", "last4": "4242"}
        setup["payment_method"] = {"id": method, "object": "payment_method", "card": card}
        setup["status"] = "succeeded"

    def create(self, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        method, amount = form["payment_method"], int(form["amount"])
        if method == DECLINES:
            return refusal(402, "card_error", "card_declined", decline_code="insufficient_funds")
        away = form.get("off_session") == "true"
        if method == ASKS and away:
            return refusal(402, "card_error", "authentication_required")
        manual = form.get("capture_method") == "manual"
        one = {
            "id": self.new_id("pi"), "object": "payment_intent", "amount": amount,
            "created": int(time.time()),
            "amount_capturable": amount if manual else 0,
            "amount_received": 0 if manual else amount,
            "currency": form["currency"], "customer": form["customer"], "payment_method": method,
            "metadata": form["metadata"], "client_secret": "pi_secret",
            "status": "requires_capture" if manual else "succeeded",
            "latest_charge": {
                "id": "ch_1", "object": "charge",
                "payment_method_details": {"card": {"capture_before": CAPTURE_BEFORE}},
            },
        }  # fmt: skip
        if method == ASKS:
            one["status"] = "requires_action"
            one["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": "https://bank.example/3ds", "return_url": None},
            }
        self.intents[one["id"]] = one
        if one["status"] == "succeeded":
            self.state("charge", one, amount)
        return 200, dict(one)

    def capture(self, intent: dict[str, Any], form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        wanted = int(form["amount_to_capture"])
        if intent["status"] != "requires_capture":
            return refusal(400, "invalid_request_error", "payment_intent_unexpected_state")
        if wanted > intent["amount_capturable"]:
            return refusal(400, "invalid_request_error", "amount_too_large")
        intent |= {"status": "succeeded", "amount_received": wanted, "amount_capturable": 0}
        self.state("charge", intent, wanted)
        return 200, dict(intent)

    def cancel(self, intent: dict[str, Any], form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if intent["status"] in ("succeeded", "canceled"):
            return refusal(400, "invalid_request_error", "payment_intent_unexpected_state")
        intent["status"] = "canceled"
        return 200, dict(intent)

    def increment_authorization(
        self, intent: dict[str, Any], form: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        if intent["payment_method"] == LAPSES:
            return refusal(402, "card_error", "card_declined")
        intent["amount"] = intent["amount_capturable"] = int(form["amount"])
        return 200, dict(intent)

    def refund(self, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        intent = self.intents[form["payment_intent"]]
        if int(form["amount"]) > intent["amount_received"]:
            return refusal(400, "invalid_request_error", "charge_already_refunded")
        self.state("refund", intent, -int(form["amount"]), metadata=form["metadata"])
        one = {
            "id": self.new_id("re"), "object": "refund", "status": "succeeded",
            "payment_intent": intent["id"], "metadata": form["metadata"],
        }  # fmt: skip
        self.refunds.append(one)
        return 200, one

    def state(
        self, kind: str, intent: dict[str, Any], amount: int, metadata: dict[str, Any] | None = None
    ) -> None:
        """Write a line of the statement."""
        source = {"object": kind, "id": self.new_id("x"), "payment_intent": intent["id"],
                  "metadata": metadata or intent["metadata"]}  # fmt: skip
        self.lines.append(
            {
                "id": self.new_id("txn"), "object": "balance_transaction", "type": kind,
                "amount": amount, "fee": 30, "currency": intent["currency"],
                "created": int(time.time()), "source": source,
            }
        )  # fmt: skip

    def page(self, form: dict[str, Any]) -> dict[str, Any]:
        """Two lines at a time, so that the second page is asked for."""
        since, until = int(form["created"]["gte"]), int(form["created"]["lt"])
        mine = [line for line in self.lines if since <= line["created"] < until]
        names = [line["id"] for line in mine]
        after = form.get("starting_after")
        start = names.index(after) + 1 if after else 0
        return {
            "object": "list", "url": "/v1/balance_transactions",
            "data": mine[start : start + 2], "has_more": start + 2 < len(mine),
        }  # fmt: skip


def read_form(text: str) -> dict[str, Any]:
    """`a[b]=1` as `{"a": {"b": "1"}}`, as far as Stripe's library nests."""
    form: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(text):
        steps = re.findall(r"[^\[\]]+", name)
        place = form
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return form


@contextmanager
def stand_in() -> Iterator[tuple[Account, str]]:
    """An account and the address of its API, on loopback, for as long as the block lasts."""
    account = Account()

    class Door(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Silence."""

        def do_GET(self) -> None:
            path, _mark, query = self.path.partition("?")
            self.reply(*account.answer("GET", path, read_form(query), None))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = read_form(self.rfile.read(length).decode())
            key = self.headers.get("Idempotency-Key")
            given = account.answer("POST", self.path, form, key)
            if account.lose_next_answer:
                account.lose_next_answer -= 1
                self.close_connection = True
                self.connection.close()
                return
            self.reply(*given)

        def reply(self, status: int, body: dict[str, Any]) -> None:
            assert self.headers["Authorization"] == "Bearer sk_test_stand_in"
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield account, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
