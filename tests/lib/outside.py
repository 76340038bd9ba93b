#!/usr/bin/env python3
"""The outside world of a test: names, web servers good and hostile, TLS answers.

    outside.py ZONE DIR [--tls] [--stay]

Serves DNS (UDP and TCP) from the file ZONE, read anew for each question, HTTP on 127.0.0.1 and ::1, and with --tls also
tls-alpn-01 answers; prints one line, "dns=PORT http=PORT tls=PORT", and ends when its stdin does (--stay: when it is killed). DIR is where it keeps
certificates and `log`, one line for each question and connection.

A line of ZONE: NAME TYPE VALUE, of type A, AAAA, TXT ("..." "..."), CAA (FLAGS TAG VALUE), CNAME; CNAME-ALONE, which is
not followed here; FLIP FIRST THEN, an A record that changes after the first answer; SERVFAIL, REFUSED, SILENT. "*.x" stands
for all under x. What is asked for over HTTP says by its last part what happens: see `Web`.
"""
import hashlib, http.server, ipaddress, os, re, shlex, signal, socket, socketserver, ssl, struct, subprocess, sys, threading, time, warnings

A, CNAME, TXT, AAAA, CAA, OPT = 1, 5, 16, 28, 257, 41
warnings.simplefilter("ignore")
TYPES = {"A": A, "AAAA": AAAA, "TXT": TXT, "CAA": CAA, "CNAME": CNAME, "CNAME-ALONE": CNAME}
UDP_MAX = 1232
zone_file, folder = sys.argv[1], sys.argv[2]
flips = {}
lock = threading.Lock()


def log(*words):
    with lock, open(os.path.join(folder, "log"), "a") as f:
        print(*words, file=f)


# --- names ---

def zone():
    with open(zone_file) as f:
        return [shlex.split(line, comments=True) for line in f if line.strip() and not line.startswith("#")]


def rows_of(rows, name):
    found = [r for r in rows if r[0].lower() == name]
    parts = name.split(".")
    for i in range(1, len(parts)):
        if found:
            break
        found = [r for r in rows if r[0].lower() == "*." + ".".join(parts[i:])]
    return found


def wire(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split(".") if p) + b"\0"


def flip(row):
    n = flips[row[0]] = flips.get(row[0], 0) + 1
    return [row[0], "A", row[2] if n == 1 else row[3]]


def rdata(row):
    kind, value = row[1], row[2:]
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value[0]).packed
    if kind == "TXT":
        return b"".join(bytes([len(v)]) + v.encode() for v in value)
    if kind == "CAA":
        return bytes([int(value[0]), len(value[1])]) + value[1].encode() + " ".join(value[2:]).encode()
    return wire(value[0])


def look_up(name, qtype):
    """(rcode, records); None: say nothing."""
    rows, records, seen = zone(), [], set()
    while name not in seen:
        seen.add(name)
        here = rows_of(rows, name)
        kinds = {r[1] for r in here}
        if "SILENT" in kinds:
            return None
        if "SERVFAIL" in kinds:
            return 2, []
        if "REFUSED" in kinds:
            return 5, []
        if not here:
            below = any(r[0].lower().endswith("." + name) for r in rows)
            return (0 if below else 3), records
        if qtype == A:
            here = [flip(r) if r[1] == "FLIP" else r for r in here]
        fit = [r for r in here if TYPES.get(r[1]) == qtype]
        alias = [r for r in here if r[1].startswith("CNAME")]
        records += [(name, r) for r in fit or alias]
        if fit or not alias or alias[0][1] == "CNAME-ALONE":
            break
        name = alias[0][2].lower().rstrip(".")
    return 0, records


def question_of(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace").lower())
        at += 1 + packet[at]
    qtype, _ = struct.unpack(">HH", packet[at + 1:at + 5])
    return ".".join(labels), qtype, packet[12:at + 5]


def answer(packet, limit):
    name, qtype, question = question_of(packet)
    log("dns", name, qtype)
    found = look_up(name, qtype)
    if found is None:
        return None
    rcode, records = found
    body = b""
    for owner, r in records:
        data = rdata(r)
        body += wire(owner) + struct.pack(">HHIH", TYPES[r[1]], 1, 0, len(data)) + data
    flags = 0x8400 | struct.unpack(">H", packet[2:4])[0] & 0x0100 | rcode
    if len(question) + len(body) + 12 > limit:
        return packet[:2] + struct.pack(">HHHHH", flags | 0x0200, 1, 0, 0, 0) + question
    return packet[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + question + body


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        packet, sock = self.request
        said = answer(packet, UDP_MAX)
        if said:
            sock.sendto(said, self.client_address)


class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        head = self.request.recv(2)
        if len(head) == 2:
            said = answer(self.request.recv(struct.unpack(">H", head)[0]), 65535)
            if said:
                self.request.sendall(struct.pack(">H", len(said)) + said)


# --- web servers ---

class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, body=b"", **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, to, status=302):
        self.say(status, b"", Location=to)

    def do_GET(self):
        base, _, token = self.path.rpartition("/")
        log("http", self.headers.get("Host"), token)
        host = re.sub(r":\d+$", "", self.headers.get("Host", ""))
        web, tls = "http://%s:%d%s/" % (host, ports["http"], base), "https://%s:%d%s/" % (host, ports["tls"], base)
        status = re.fullmatch(r"s(\d+)", token)
        hops = re.fullmatch(r"hops(\d+)", token)
        if token in ("good", "spaced"):
            self.say(200, b"good.thumb" if token == "good" else b"spaced.thumb \r\n\n")
        elif token == "wrong":
            self.say(200, b"wrong.secret-of-another-page")
        elif status:
            self.say(int(status[1]), b"secret-of-another-page")
        elif hops:
            self.redirect(web + ("good" if hops[1] == "1" else "hops%d" % (int(hops[1]) - 1)), 307)
        elif token == "loop":
            self.redirect(web + "loop")
        elif token == "relative":
            self.redirect(base + "/good", 301)
        elif token == "https":
            self.redirect(tls + "good")
        elif token == "flip":
            self.redirect(web + "good")
        elif token in elsewhere:
            self.redirect(elsewhere[token])
        else:
            getattr(self, "do_" + token)()

    def do_big(self):
        self.send_response(200)
        self.send_header("Content-Length", str(10 << 30))
        self.end_headers()
        try:
            for _ in range(160):
                self.wfile.write(b"x" * 65536)
        except OSError:
            log("http", "cut")
        self.close_connection = True

    def do_headers(self):
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for i in range(100000):
                self.wfile.write(b"X-%d: %s\r\n" % (i, b"x" * 100))
        except OSError:
            log("http", "cut")
        self.close_connection = True

    def do_silent(self):
        time.sleep(30)

    def do_drip(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(300):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True

    def do_banner(self):
        self.wfile.write(b"SSH-2.0-secret\r\n")
        self.close_connection = True

    def do_closed(self):
        self.close_connection = True

    def log_message(self, *_):
        pass


elsewhere = {
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "decimal": "http://2852039166/latest/meta-data/",
    "mapped": "http://[::ffff:169.254.169.254]/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1/x",
    "port": "http://127.0.0.1:22/",
    "user": "http://a:b@127.0.0.1/",
    "broken": "http://a b/",
}


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class Server6(Server):
    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().server_bind()


# --- tls-alpn-01 ---

def certificate(name, san, digest, critical=True, signer=None):
    path = os.path.join(folder, name)
    der = "DER:0420" + hashlib.sha256(digest).hexdigest()
    args = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
            "-days", "2", "-keyout", path + ".key", "-out", path + ".pem", "-addext", "subjectAltName=" + san]
    if digest:
        args += ["-addext", "1.3.6.1.5.5.7.1.31=%s%s" % ("critical," if critical else "", der)]
    if signer:
        args += ["-CA", signer + ".pem", "-CAkey", signer + ".key"]
    subprocess.run(args, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path + ".pem", path + ".key")
    context.set_alpn_protocols(["acme-tls/1"])
    return context


def contexts():
    good = b"good.thumb"
    made = {
        "good.alpn": certificate("good", "DNS:good.alpn", good),
        "two.alpn": certificate("two", "DNS:two.alpn,DNS:good.alpn", good),
        "other.alpn": certificate("other", "DNS:good.alpn", good),
        "digest.alpn": certificate("digest", "DNS:digest.alpn", b"other.thumb"),
        "plain.alpn": certificate("plain", "DNS:plain.alpn", b""),
        "lax.alpn": certificate("lax", "DNS:lax.alpn", good, critical=False),
        "old.alpn": certificate("old", "DNS:old.alpn", good),
        "mute.alpn": certificate("mute", "DNS:mute.alpn", good),
        "1.0.0.127.in-addr.arpa": certificate("v4", "IP:127.0.0.1", good),
        ".".join("1" + "0" * 31) + ".ip6.arpa": certificate("v6", "IP:::1", good),
    }
    made["signed.alpn"] = certificate("signed", "DNS:signed.alpn", good, signer=os.path.join(folder, "good"))
    return made


class Tls:
    def __init__(self):
        self.by_name = contexts()
        self.modern, self.old, self.mute = self.base(), self.base(), self.base()
        self.old.minimum_version = ssl.TLSVersion.TLSv1
        self.old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.old.set_ciphers("ALL:@SECLEVEL=0")
        self.mute.set_alpn_protocols([])

    def base(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "good.pem"), os.path.join(folder, "good.key"))
        context.set_alpn_protocols(["acme-tls/1", "http/1.1"])
        context.sni_callback = self.choose
        return context

    def choose(self, sock, name, _):
        log("tls", name)
        if name in self.by_name and name not in ("mute.alpn", "old.alpn"):
            sock.context = self.by_name[name]

    def of(self, hello):
        """Versions and protocols cannot be changed once the hello is read: look at it first."""
        if b"old.alpn" in hello:
            return self.old
        return self.mute if b"mute.alpn" in hello else self.modern


class Hello(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(20)
        hello = self.request.recv(4096, socket.MSG_PEEK)
        try:
            with tls_answers.of(hello).wrap_socket(self.request, server_side=True) as sock:
                if sock.selected_alpn_protocol() != "acme-tls/1":
                    Web(sock, self.client_address, self.server)
        except (ssl.SSLError, OSError):
            pass


# --- all of it ---

def bind_both(handler, tries=50):
    """The same port on both families."""
    for _ in range(tries):
        v4 = Server(("127.0.0.1", 0), handler)
        try:
            return [v4, Server6(("::1", v4.server_address[1]), handler)]
        except OSError:
            v4.server_close()
    raise SystemExit("no port is free on both families")


def bind_dns(tries=50):
    for _ in range(tries):
        udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Datagram)
        udp.daemon_threads = True
        try:
            return [udp, Server(udp.server_address, Stream)]
        except OSError:
            udp.server_close()
    raise SystemExit("no port is free for both protocols")


ports = {"tls": 0}
servers = bind_dns()
ports["dns"] = servers[0].server_address[1]
web = bind_both(Web)
ports["http"] = web[0].server_address[1]
servers += web
if "--tls" in sys.argv:
    tls_answers = Tls()
    hello = bind_both(Hello)
    ports["tls"] = hello[0].server_address[1]
    servers += hello
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("dns=%(dns)d http=%(http)d tls=%(tls)d" % ports, flush=True)
signal.pause() if "--stay" in sys.argv else sys.stdin.read()
