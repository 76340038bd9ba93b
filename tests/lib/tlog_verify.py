#!/usr/bin/env python3
"""A monitor of a tiled transparency log, as small as it can be, written against C2SP's signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof: fetches the checkpoint and all tiles, verifies the signature, recomputes the root and every
tile above the leaves, goes on from an earlier checkpoint, and checks entries and proofs. Python's own library and the
openssl command, nothing of the server's.

tlog_verify.py --url URL --vkey VKEY [--ca PEM] [--cert PEM --key PEM] [--entries] [--old FILE] [--proof FILE [--leaf HEX]]
"""
import argparse, base64, hashlib, ssl, struct, subprocess, sys, tempfile, urllib.request


class Wrong(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Wrong(what)


# --- RFC 6962 2.1 / RFC 9162 2.1 ---

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    return 1 << (n - 1).bit_length() - 1


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(root_of(leaves[:k]), root_of(leaves[k:]))


def consistency_of(old, leaves, whole=True):
    n = len(leaves)
    if old == n:
        return [] if whole else [root_of(leaves)]
    k = split(n)
    if old <= k:
        return consistency_of(old, leaves[:k], whole) + [root_of(leaves[k:])]
    return consistency_of(old - k, leaves[k:], False) + [root_of(leaves[:k])]


def inclusion_root(leaf, index, size, proof):
    """RFC 9162 2.1.3.2, as far as the root it leads to."""
    must(0 <= index < size, "the proof's index is outside its tree")
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        must(sn != 0, "the inclusion proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    must(sn == 0, "the inclusion proof is too short")
    return r


def check_consistency(old, old_root, size, root, proof):
    """RFC 9162 2.1.4.2."""
    must(0 < old <= size, "the log has become shorter: %d after %d" % (size, old))
    if old == size:
        must(old_root == root and not proof, "two heads of one size differ")
        return
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    must(proof, "an empty consistency proof")
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = proof[0]
    for c in proof[1:]:
        must(sn != 0, "the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    must(sn == 0 and fr == old_root and sr == root, "the log does not go on from the earlier checkpoint")


# --- signed-note, tlog-checkpoint ---

class Key:
    def __init__(self, vkey):
        self.name, key_id, body = vkey.split("+", 2)
        body = base64.b64decode(body, validate=True)
        self.kind, self.public = body[0], body[1:]
        must(self.kind in (1, 2), "a key of type %d" % self.kind)
        if self.kind == 1:
            self.id = hashlib.sha256(self.name.encode() + b"\n" + body).digest()[:4]
            self.spki = bytes.fromhex("302a300506032b6570032100") + self.public
        else:
            self.id = hashlib.sha256(self.public).digest()[:4]
            self.spki = self.public
        must(self.id.hex() == key_id, "the key's id does not fit the key")

    def verify(self, text, signature):
        with tempfile.TemporaryDirectory() as d:
            for name, what in (("key", self.spki), ("text", text), ("sig", signature)):
                with open(d + "/" + name, "wb") as f:
                    f.write(what)
            if self.kind == 1:
                how = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", d + "/key", "-rawin", "-in",
                       d + "/text", "-sigfile", d + "/sig"]
            else:
                how = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", d + "/key", "-signature", d + "/sig",
                       d + "/text"]
            must(subprocess.run(how, capture_output=True).returncode == 0, "the checkpoint's signature is wrong")


def read_checkpoint(note, key):
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    parts = text.split("\n")
    must(len(parts) >= 4 and all(parts[:3]), "a checkpoint of fewer than three lines")
    must(parts[0] == key.name, "a checkpoint of another log: %s" % parts[0])
    must(parts[1].isdecimal() and str(int(parts[1])) == parts[1], "the tree's size")
    root = base64.b64decode(parts[2], validate=True)
    signed = 0
    must(lines.endswith("\n"), "the last line is cut off")
    for line in lines[:-1].split("\n"):
        dash, name, signature = line.split(" ")
        must(dash == "\u2014", "a line that is no signature")
        signature = base64.b64decode(signature, validate=True)
        if name == key.name and signature[:4] == key.id:
            key.verify(text.encode(), signature[4:])
            signed += 1
    must(signed, "no signature by the log's key")
    return int(parts[1]), root


# --- tlog-tiles ---

def tile_path(what, index, width):
    parts = []
    while True:
        parts.insert(0, "%03d" % (index % 1000))
        index //= 1000
        if not index:
            break
    path = "/".join(["x" + p for p in parts[:-1]] + parts[-1:])
    return "tile/%s/%s" % (what, path) + ("" if width == 256 else ".p/%d" % width)


class Log:
    def __init__(self, a):
        self.url = a.url.rstrip("/") + "/"
        self.context = ssl.create_default_context(cafile=a.ca) if a.ca else None
        if a.cert:
            self.context.load_cert_chain(a.cert, a.key)

    def fetch(self, path):
        with urllib.request.urlopen(self.url + path, context=self.context, timeout=30) as r:
            return r.read()

    def tiles(self, level, size):
        """All hashes of a level, of a tree of this size."""
        n, hashes = size >> 8 * level, []
        for index in range((n + 255) // 256):
            width = min(256, n - index * 256)
            tile = self.fetch(tile_path(level, index, width))
            must(len(tile) == 32 * width, "a tile of %d octets, not of %d hashes" % (len(tile), width))
            hashes += [tile[i:i + 32] for i in range(0, len(tile), 32)]
        return hashes

    def entries(self, size):
        all_ = []
        for index in range((size + 255) // 256):
            width = min(256, size - index * 256)
            bundle, count = self.fetch(tile_path("entries", index, width)), 0
            while bundle:
                (n,) = struct.unpack(">H", bundle[:2])
                must(len(bundle) >= 2 + n, "an entry bundle is cut off")
                all_.append(bundle[2:2 + n])
                bundle, count = bundle[2 + n:], count + 1
            must(count == width, "a bundle of %d entries, not %d" % (count, width))
        return all_


def check_proof(text, key, leaf):
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    must(lines[0] == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    lines = lines[2:] if lines[1].startswith("extra ") else lines[1:]
    must(lines[0].startswith("index "), "the proof names no index")
    size, root = read_checkpoint(note, key)
    hashes = [base64.b64decode(line, validate=True) for line in lines[1:]]
    index = int(lines[0][6:])
    must(inclusion_root(leaf(index), index, size, hashes) == root, "the entry is not under the proof's checkpoint")
    return index


def run(a):
    key, log = Key(a.vkey), Log(a)
    note = log.fetch("checkpoint").decode()
    size, root = read_checkpoint(note, key)
    leaves = log.tiles(0, size)
    must(root_of(leaves) == root, "the tiles do not give the checkpoint's root")
    below, level = leaves, 1
    while len(below) >= 256:
        hashes = log.tiles(level, size)
        must(hashes == [root_of(below[i * 256:(i + 1) * 256]) for i in range(len(below) // 256)],
             "a tile of level %d is not over those below it" % level)
        below, level = hashes, level + 1
    said = "size %d root %s" % (size, base64.b64encode(root).decode())
    if a.old:
        old, old_root = read_checkpoint(open(a.old, encoding="utf-8", newline="").read(), key)
        must(old <= size, "the log has become shorter: %d after %d" % (size, old))
        check_consistency(old, old_root, size, root, consistency_of(old, leaves))
        said += " after %d" % old
    if a.entries:
        must([leaf_hash(e) for e in log.entries(size)] == leaves, "the entries are not those of the leaves")
        said += " entries %d" % size
    if a.proof:
        given = bytes.fromhex(a.leaf) if a.leaf else None
        index = check_proof(open(a.proof, encoding="utf-8", newline="").read(), key,
                            lambda i: given if given else leaves[i] if i < size else b"")
        said += " index %d" % index
    print(said)


def main():
    p = argparse.ArgumentParser()
    for name in ("--url", "--vkey", "--ca", "--cert", "--key", "--old", "--proof", "--leaf"):
        p.add_argument(name)
    p.add_argument("--entries", action="store_true")
    try:
        run(p.parse_args())
    except (Wrong, ValueError, OSError) as e:
        sys.exit("wrong: %s" % e)


main()
