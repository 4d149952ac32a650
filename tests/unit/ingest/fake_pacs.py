"""A small DICOMweb server on loopback that misbehaves on demand; it stands alone, without the code it tests."""

import http.server
import json
import ssl
import threading
import time
from urllib.parse import parse_qsl, urlsplit

TAGS = {"StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E", "SOPInstanceUID": "00080018",
        "PatientID": "00100020", "AccessionNumber": "00080050", "Modality": "00080060"}  # fmt: skip
BOUNDARY = b"3d6b6a416f9b5"


class FakePacs:
    """Holds instances: (attributes by keyword, bytes). `faults` maps a path's ending to faults, used up one a request.

    A fault is a status code, or: "cut" (ends inside the body), "die" (ends before an answer), "html", "half json",
    "slow" (sends nothing), "redirect", "other" (another instance), "bare" (no envelope), "bare cut".
    """

    def __init__(self, instances=()):
        self.instances = list(instances)
        self.faults, self.requests, self.headers = {}, [], []
        self.page, self.ignores_keys, self.authorization, self.extra_parts = 10**6, False, None, 0
        self.scheme, fake = "http", self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}/dicom-web"

    def encrypt(self, certificate):
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.handle_error = lambda *_: None  # a client that refuses the certificate
        self.scheme = "https"

    def fault_of(self, path):
        for ending, faults in self.faults.items():
            if path.endswith(ending) and faults:
                return faults.pop(0) if isinstance(faults, list) else faults
        return None

    def answer(self, handler):
        parts = urlsplit(handler.path)
        path, asked = parts.path.removeprefix("/dicom-web/"), dict(parse_qsl(parts.query))
        self.requests.append(path)
        self.headers.append(dict(handler.headers))
        fault = self.fault_of(path)
        if self.authorization and handler.headers.get("Authorization") != self.authorization:
            fault = 401
        if isinstance(fault, int):
            return self.send(handler, b"no", "text/plain", fault)
        if fault == "die":
            handler.close_connection = True
            return handler.connection.shutdown(2)
        if fault == "slow":
            time.sleep(1.5)
            handler.close_connection = True
            return None
        if fault == "html":
            return self.send(handler, b"<html>Doe^Jane", "text/html")
        if fault == "redirect":
            handler.send_response(302)
            handler.send_header("Location", "http://127.0.0.1:1/")
            handler.send_header("Content-Length", "0")
            return handler.end_headers()
        words = path.split("/")
        if len(words) % 2:
            return self.search(handler, words, asked, fault)
        return self.retrieve(handler, words, fault)

    def matching(self, words, asked):
        named = dict(zip(["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], words[1::2], strict=False))
        wanted = named | ({} if self.ignores_keys else {key: asked[key] for key in asked if key in TAGS})
        return [(tags, data) for tags, data in self.instances if all(tags[key] == wanted[key] for key in wanted)]

    def search(self, handler, words, asked, fault):
        level = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"][len(words) // 2]
        found = {tags[level]: tags for tags, _ in self.matching(words, asked)}
        start = int(asked["offset"])
        page = list(found.values())[start : start + min(self.page, int(asked["limit"]))]
        body = json.dumps([{TAGS[key]: {"vr": "UI", "Value": [tags[key]]} for key in TAGS} for tags in page]).encode()
        if fault == "no uid":
            body = b'[{"0020000D": {"vr": "UI", "Value": ["../../x"]}}]'
        self.send(handler, body[:-9] if fault == "half json" else body, "application/dicom+json", cut=fault == "cut")

    def retrieve(self, handler, words, fault):
        found = [data for _, data in self.matching(words, {})]
        if fault == "other":
            found = [data for _, data in self.instances if data not in found][:1]
        if not found:
            return self.send(handler, b"", "text/plain", 404)
        if fault in ("bare", "bare cut"):
            return self.send(handler, found[0], "application/dicom", cut=fault == "bare cut")
        envelope = b"\r\n--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n"
        body = b"".join(envelope + data for data in [*found, *found[:1] * self.extra_parts])
        body += b"\r\n--" + BOUNDARY + b"--\r\n"
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY.decode()}'
        if fault == "cut without length":
            handler.send_response(200)
            handler.send_header("Content-Type", kind)
            handler.end_headers()
            handler.wfile.write(body[: len(body) * 2 // 3])
            handler.close_connection = True
            return None
        return self.send(handler, body, kind, cut=fault == "cut")

    def send(self, handler, body, kind, status=200, cut=False):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) * 2 // 3] if cut else body)
        handler.close_connection = handler.close_connection or cut
