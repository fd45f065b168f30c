#!/usr/bin/env python3
"""Signs the requests of the cases as their providers would.

A request with the key "sign" gets its provider's signature for that secret,
over the body (and for Twilio the URL) that stands in the case. With --check
nothing is written, and a case whose signature is another fails.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys
import urllib.parse


def mac(secret, message, algorithm):
    return hmac.new(secret.encode(), message, algorithm)


def body_of(request):
    if "body_base64" in request:
        return base64.b64decode(request["body_base64"])
    return request.get("body", "").encode()


def hex_sha256(header, prefix=""):
    def sign(secret, request, config):
        return header, prefix + mac(secret, body_of(request), "sha256").hexdigest()

    return sign


def x(secret, request, config):
    digest = mac(secret, body_of(request), "sha256").digest()
    return "X-Twitter-Webhooks-Signature", "sha256=" + base64.b64encode(digest).decode()


def twilio(secret, request, config):
    base = config.get("public_url")
    if base is None:
        base = request.get("scheme", "https") + "://" + request.get("host", "example.com")
    target = request.get("target", "/hook")
    message = (base.removesuffix("/") + target).encode()
    if request.get("method", "POST") == "POST" and "bodySHA256=" not in target:
        text = body_of(request).decode("latin-1")
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, encoding="latin-1")
        for name, value in sorted(set(pairs)):
            message += name.encode("latin-1") + value.encode("latin-1")
    digest = mac(secret, message, "sha1").digest()
    return "X-Twilio-Signature", base64.b64encode(digest).decode()


SIGNERS = {
    "meta": hex_sha256("X-Hub-Signature-256", "sha256="),
    "twilio": twilio,
    "x": x,
    "zavu": hex_sha256("X-Zavu-Signature", "sha256="),
    "twabot": hex_sha256("X-TwaBot-Signature"),
    "vobiz": hex_sha256("X-Vobiz-Signature", "sha256="),
}


def set_header(request, name, value):
    for field in request["header"]:
        if field[0].lower() == name.lower():
            field[1] = value
            return
    request["header"].append([name, value])


def main():
    check = sys.argv[1:] == ["--check"]
    signed, wrong = 0, []
    for path in sorted(pathlib.Path(__file__).parent.joinpath("testdata").rglob("*.json")):
        text = path.read_text(encoding="utf-8")
        case = json.loads(text)
        for step in case["steps"]:
            request = step["request"]
            if "sign" not in request:
                continue
            signed += 1
            before = json.dumps(request["header"])
            set_header(request, *SIGNERS[case["config"]["provider"]](request["sign"], request, case["config"]))
            if json.dumps(request["header"]) == before:
                continue
            wrong.append(str(path))
            if not check:
                path.write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{signed} signatures, {len(wrong)} " + ("wrong" if check else "written"))
    for path in wrong:
        print(" ", path)
    if check and (wrong or signed == 0):
        sys.exit(1)


if __name__ == "__main__":
    main()
