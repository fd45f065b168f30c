"""A backend behind Hookward: it prints the messages that it gets."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model import Delivery, Event

seen: set[tuple[str, str]] = set()  # a real backend asks its database


def handle(event: Event) -> None:
    if event["type"] == "message.received":
        print(f"{event['channel']}: {event['senderId']} wrote {event['message']!r}", flush=True)
    else:
        print(f"{event['channel']}: ignored {event['type']}", flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["X-Hookward-Assurance"] not in ("signature", "token"):
            self.send_error(403, "not through the gate")
            return
        delivery: Delivery = json.loads(body)
        for event in delivery["events"]:
            key = (event["endpoint"], event["id"])
            if key not in seen:
                seen.add(key)
                handle(event)
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    address = ("127.0.0.1", int(os.environ.get("PORT", "9000")))
    print("listening on", *address, flush=True)
    ThreadingHTTPServer(address, Handler).serve_forever()
