"""A small ACME client for the flows: it keeps its state in a JSON file, so that each call is a process of its own.

acme.py STATE COMMAND [ARGS...]; the environment has CHANCERY_URL and CHANCERY_ROOT, and
perhaps ACME_TEMPLATE, "/NAME" of a directory. Prints what a test looks at.
"""
import base64, hashlib, hmac, json, os, ssl, sys, time, urllib.error, urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Client:
    def __init__(self, path):
        self.path = path
        self.base = os.environ["CHANCERY_URL"]
        self.root = "/acme" + os.environ.get("ACME_TEMPLATE", "")
        self.tls = ssl.create_default_context(cafile=os.environ["CHANCERY_ROOT"])
        self.state = json.load(open(path)) if os.path.exists(path) else {}
        if "key" not in self.state:
            key = ec.generate_private_key(ec.SECP256R1())
            self.state["key"] = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        self.key = serialization.load_pem_private_key(self.state["key"].encode(), None)

    def save(self):
        with open(self.path, "w") as f:
            json.dump(self.state, f)

    def jwk(self):
        n = self.key.public_key().public_numbers()
        return {"crv": "P-256", "kty": "EC", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}

    def ask(self, method, url, body=None):
        request = urllib.request.Request(url, body, {"Content-Type": "application/jose+json"}, method=method)
        try:
            answer = urllib.request.urlopen(request, context=self.tls, timeout=20)
        except urllib.error.HTTPError as e:
            answer = e
        text = answer.read()
        if answer.headers.get("Replay-Nonce"):
            self.state["nonce"] = answer.headers["Replay-Nonce"]
        return answer.status, answer.headers, text

    def nonce(self):
        self.ask("HEAD", self.base + self.root + "/new-nonce")
        return self.state["nonce"]

    def sign(self, header, payload):
        protected, payload = b64(json.dumps(header).encode()), b64(payload)
        der = self.key.sign(f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return {"protected": protected, "payload": payload, "signature": b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}

    def post(self, path, payload=None, nonce=None):
        url = path if path.startswith("https:") else self.base + path
        nonce = nonce or self.state.pop("nonce", None) or self.nonce()
        self.state.pop("nonce", None)
        header = {"alg": "ES256", "url": url, "nonce": nonce}
        header.update({"kid": self.state["kid"]} if "kid" in self.state else {"jwk": self.jwk()})
        octets = b"" if payload is None else json.dumps(payload).encode()
        status, headers, text = self.ask("POST", url, json.dumps(self.sign(header, octets)).encode())
        try:
            tree = json.loads(text)
        except ValueError:
            tree = {"text": text.decode()}
        return status, headers, tree

    def poll(self, url):
        """Until it is neither pending nor processing."""
        for _ in range(200):
            status, _, tree = self.post(url)
            if tree.get("status") not in ("pending", "processing"):
                break
            time.sleep(0.05)
        return status, tree

    # --- commands ---

    def register(self, kid=None, key=None):
        body = {"termsOfServiceAgreed": True}
        url = self.base + self.root + "/new-account"
        if kid:
            protected = b64(json.dumps({"alg": "HS256", "kid": kid, "url": url}).encode())
            payload = b64(json.dumps(self.jwk()).encode())
            secret = base64.urlsafe_b64decode(key + "==")
            mac = hmac.new(secret, f"{protected}.{payload}".encode(), hashlib.sha256).digest()
            body["externalAccountBinding"] = {"protected": protected, "payload": payload, "signature": b64(mac)}
        status, headers, tree = self.post(self.root + "/new-account", body)
        if status in (200, 201):
            self.state["kid"] = headers["Location"]
        return status, tree

    def order(self, *names):
        status, headers, tree = self.post(
            self.root + "/new-order", {"identifiers": [{"type": "dns", "value": name} for name in names]})
        if status == 201:
            self.state["order"] = headers["Location"]
            self.state["names"] = names
            self.state.pop("csr", None)
        return status, tree

    def prove(self, kind):
        """Every pending authorization by this type of challenge; the last one that came to an end is told."""
        _, _, order = self.post(self.state["order"])
        for url in order["authorizations"]:
            status, _, authz = self.post(url)
            if authz["status"] != "pending":
                continue
            self.post([c["url"] for c in authz["challenges"] if c["type"] == kind][0], {})
            status, authz = self.poll(url)
        return status, authz

    def show(self):
        status, _, tree = self.post(self.state["order"])
        return status, tree

    def csr(self):
        if "csr" in self.state:
            return base64.b64decode(self.state["csr"])
        key = self.state.get("certkey")
        if not key:
            made = ec.generate_private_key(ec.SECP256R1())
            key = self.state["certkey"] = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        key = serialization.load_pem_private_key(key.encode(), None)
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.state["names"]])
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False)
        der = csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.state["csr"] = base64.b64encode(der).decode()
        return der

    def finalize(self):
        status, _, tree = self.post(self.state["order"] + "/finalize", {"csr": b64(self.csr())})
        if "certificate" in tree:
            self.state["certificate"] = tree["certificate"]
        return status, tree

    def download(self, to):
        status, _, tree = self.post(self.state["certificate"])
        with open(to, "w") as f:
            f.write(tree.get("text", ""))
        return status, {}

    def keep(self):
        self.nonce()
        return 200, {"nonce": self.state["nonce"]}

    def nonces(self, n):
        """Many at once, and none of them used: kept in the state."""
        self.state["many"] = [self.nonce() for _ in range(int(n))]
        self.state.pop("nonce")
        return 200, {}

    def spend(self, i):
        status, _, tree = self.post(self.state["kid"], nonce=self.state["many"][int(i)])
        return status, tree


client = Client(sys.argv[1])
status, tree = getattr(client, sys.argv[2])(*sys.argv[3:])
client.save()
print(json.dumps({"status": status, "body": tree}))
