"""Does what a grpcurl command would do: names and numbers come from proto/, the call goes through curl over HTTP/2.

It knows as much of protobuf as the README's example needs, and fails on the rest.
"""

import json
import re
import subprocess

MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(optional |repeated )?([\w.]+) (\w+) = (\d+)[ ;]", re.MULTILINE)
METHOD = re.compile(r"rpc (\w+)\((\w+)\) returns \((\w+)\)")


def call(command, proto, folder):
    """The answer as grpcurl's JSON, and what is wrong."""
    try:
        return _call(command, (proto / "idbridge/v1/identity.proto").read_text(), folder), ""
    except (KeyError, ValueError) as error:
        return "", f"{type(error).__name__}: {error}"


def _call(command, proto, folder):
    program, address, path = command[0], command[-2], command[-1]
    options = command[1:-2]
    if program != "grpcurl" or options[0] != "-plaintext" or options[1::2] != ["-H", "-d"]:
        raise ValueError("only `grpcurl -plaintext -H HEADER -d JSON HOST:PORT METHOD` is known")
    header, question = options[2], json.loads(options[4])

    messages = {
        name: {field: (int(number), label.strip(), kind) for label, kind, field, number in FIELD.findall(body)}
        for name, body in MESSAGE.findall(re.sub(r"//.*", "", proto))
    }
    package = re.search(r"^package ([\w.]+);", proto, re.MULTILINE)[1]
    service = re.search(r"^service (\w+)", proto, re.MULTILINE)[1]
    methods = {f"{package}.{service}/{name}": (asked, told) for name, asked, told in METHOD.findall(proto)}
    asked, told = methods[path]

    body = _encode(question, messages[asked])
    (folder / "question").write_bytes(b"\0" + len(body).to_bytes(4, "big") + body)
    sent = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-D", "heads", "-o", "answer", "--data-binary", "@question",
         "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", header, f"http://{address}/{path}"],
        cwd=folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if sent.returncode != 0:
        raise ValueError(sent.stderr.strip())
    heads = (folder / "heads").read_text()
    if not re.search(r"^grpc-status: 0\s*$", heads, re.MULTILINE):
        raise ValueError(f"the status isn't OK: {heads}")
    return json.dumps(_decode((folder / "answer").read_bytes()[5:], messages[told], messages), ensure_ascii=False)


def _encode(question, fields):
    out = b""
    for name, value in question.items():
        number, label, kind = fields[name]
        if (label, kind) != ("", "string"):
            raise ValueError(f"{name} is no text")
        text = value.encode()
        out += _varint(number << 3 | 2) + _varint(len(text)) + text
    return out


def _decode(data, fields, messages):
    """Protobuf's JSON: names in lowerCamelCase, what is unset left out."""
    by_number = {number: (name, label, kind) for name, (number, label, kind) in fields.items()}
    found = {}
    while data:
        key, data = _take(data)
        name, label, kind = by_number[key >> 3]
        camel = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
        value, data = _take(data)
        if kind == "bool" and key & 7 == 0:
            value = bool(value)
        elif key & 7 == 2 and (kind == "string" or kind in messages):
            part, data = data[:value], data[value:]
            value = part.decode() if kind == "string" else _decode(part, messages[kind], messages)
        else:
            raise ValueError(f"{name}: {kind} isn't known here")
        if label == "repeated":
            found.setdefault(camel, []).append(value)
        else:
            found[camel] = value
    return found


def _varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _take(data):
    number, shift = 0, 0
    for at, byte in enumerate(data):
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, data[at + 1 :]
    raise ValueError("the answer ends too early")
