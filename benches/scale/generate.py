"""Writes sweeps of a thousand hosts and an inventory for them; the same every time.

Arguments: how many sightings (and rows) in all, the directory. Digests are made of numbers: no key exists.
"""
import base64, hashlib, json, pathlib, re, sys

total = int(sys.argv[1])
root = pathlib.Path(sys.argv[2])
hosts = max(1, min(1000, total // 10))
authorities = [f"CN=Issuing CA {n},O=Example" for n in range(20)]
accounts = ["deploy", "backup", "alice", "bob", "root"]
owners = ["web-team", "platform", "security", "data", "alice"]


def digest(kind, number):
    return hashlib.sha256(f"{kind} {number}".encode()).digest()


def name(host):
    return f"host{host:04}.example"


def ssh(raw):
    return "SHA256:" + base64.b64encode(raw).decode().rstrip("=")


def fingerprints(raw, certificate=None):
    forms = f'"spki_sha256":"{raw.hex()}"'
    if certificate:
        text = certificate.hex()
        forms += f',"cert_sha256":"{text}","cert_sha1":"{text[:40]}","cert_md5":"{text[:32]}"'
    md5 = raw[:16].hex(":")
    jwk = base64.urlsafe_b64encode(raw[::-1]).decode().rstrip("=")
    ski = f'"ski":"{raw.hex()[:40]}",' if certificate else ""
    return (
        f'{{{forms},"ssh_sha256":"{ssh(raw)}","ssh_md5":"MD5:{md5}",{ski}'
        f'"jwk_thumbprint":"{jwk}","keygrip":"{raw.hex()[24:]}"}}'
    )


ALGORITHMS = ['"algorithm":"EC","bits":256,"curve":"P-256",', '"algorithm":"RSA","bits":3072,', '"algorithm":"Ed25519","bits":256,']
PLACE = re.compile(r'"location":{"path":"([^"]*)","line":\d+,"offset":(\d+)}')
WORLD = '{"read":[{"who":"others"}]}'


def sighting(kind, form, encoding, algorithm, raw, path, rest="", *, certificate=None, line=1, mode="0600", owner="root", key_id=None):
    secret = '"protection":"none",' if kind in ("private_key", "symmetric_key") else ""
    forms = fingerprints(raw, certificate) if key_id is None else "{}"
    key_id = key_id or f"spki-sha256:{raw.hex()}"
    access = WORLD if mode == "0644" else "{}"
    return (
        f'{{"record":"sighting","key_id":"{key_id}","kind":"{kind}","format":"{form}","encoding":"{encoding}",{algorithm}{secret}'
        f'"class":"own","fingerprints":{forms},"location":{{"path":"{path}","line":{line},"offset":{90 * (line - 1)}}},'
        f'"file":{{"size":1204,"mode":"{mode}","uid":0,"gid":0,"owner":"{owner}","group":"{owner}",'
        f'"modified":"2026-03-04T05:06:07.540707767Z","access":{access}}}{rest}}}\n'
    )


def certificate(number, raw, cert, authority, service, path, since="2026-0%d-11T08:00:00Z", until="2027-0%d-11T08:00:00Z"):
    month = number % 9 + 1
    facts = (
        f',"certificate":{{"subject":"CN={service},O=Example","issuer":"{authorities[authority]}","serial":"{cert.hex()[:32]}",'
        f'"not_before":"{since % month}","not_after":"{until % month}","sans":["DNS:{service}","DNS:www.{service}"],'
        f'"is_ca":false,"self_signed":false,"signature_algorithm":"sha256WithRSAEncryption",'
        f'"key_usage":["digitalSignature"],"extended_key_usage":["serverAuth"]}}'
    )
    return sighting("certificate", "x509", "pem", ALGORITHMS[number % 2], raw, path, facts, certificate=cert, mode="0644")


def authority(number, path):
    raw, cert = digest("authority", number), digest("authority certificate", number)
    facts = (
        f',"certificate":{{"subject":"{authorities[number]}","issuer":"CN=Root CA,O=Example","serial":"{cert.hex()[:32]}",'
        f'"not_before":"2024-01-01T00:00:00Z","not_after":"2034-01-01T00:00:00Z","is_ca":true,"self_signed":false,'
        f'"signature_algorithm":"sha256WithRSAEncryption","key_usage":["keyCertSign","cRLSign"]}}'
    )
    return sighting("certificate", "x509", "pem", ALGORITHMS[1], raw, path, facts, certificate=cert, line=25, mode="0644")


def block(number, host, user_of):
    """Ten sightings, those of one service: the same number gives the same keys."""
    service = f"s{number}.example"
    tls = f"/etc/ssl/{service}"
    yield certificate(number, digest("a", number), digest("a certificate", number), number % 20, service, f"{tls}/a.crt")
    yield sighting("private_key", "pkcs8", "pem", ALGORITHMS[number % 2], digest("a", number), f"{tls}/a.key")
    if number % 10 == 0:
        # What was there before, in the file beside.
        old = certificate(
            number, digest("old", number), digest("old certificate", number), number % 20, service, f"{tls}/a.crt.old",
            "2025-0%d-11T08:00:00Z", "2026-0%d-12T08:00:00Z",
        )
        yield old
    else:
        yield certificate(number, digest("b", number), digest("b certificate", number), number % 20, f"b.{service}", f"{tls}/b.crt")
    yield sighting("private_key", "pkcs8", "pem", ALGORITHMS[number % 2], digest("b", number), f"{tls}/b.key")
    home = f"/home/{accounts[number % 4]}{number}/.ssh"
    # The first block has the host's own key, the others a user's each.
    user = digest("user", number)
    path = f"{home}/id_ed25519" if number != host else "/etc/ssh/ssh_host_ed25519_key"
    yield sighting("private_key", "openssh_private", "pem", ALGORITHMS[2], user, path, ',"ssh":{"comment":"root@vm"}')
    yield sighting("public_key", "openssh_public", "text", ALGORITHMS[2], digest("public", number), f"{tls}/signing.pub", mode="0644")
    account = accounts[number % 5]
    uid = 0 if account == "root" else 1000 + number % 5
    facts = (
        f',"ssh":{{"comment":"{account}@jump","options":"from=\\"10.0.0.0/8\\"","read_by_sshd":true,'
        f'"opens":[{{"account":"{account}","uid":{uid}}}]}}'
    )
    granted = digest("user", user_of)
    yield sighting(
        "authorized_key", "authorized_keys", "text", ALGORITHMS[2], granted, f"/home/{account}/.ssh/authorized_keys",
        facts, line=number // hosts + 1,
    )
    # One line in fifty is stale.
    other = (number * 7 + 3) % hosts
    known = digest("user", other) if number % 50 else digest("stale", number)
    facts = f',"ssh":{{"hosts":["{name(other)}"]}}'
    yield sighting("known_host", "known_hosts", "text", ALGORITHMS[2], known, f"{home}/known_hosts", facts, mode="0644")
    secret = digest("secret", number).hex()[:32]
    yield sighting("symmetric_key", "raw_key", "text", '"algorithm":"AES","bits":256,', b"", f"{tls}/token.key", key_id=f"secret:{secret}")
    if number % 2:
        yield authority(number % 20, f"{tls}/a.crt")
    else:
        opaque = digest("opaque", number).hex()
        yield sighting("private_key", "encrypted_pkcs8", "pem", "", b"", f"{tls}/closed.key", key_id=f"opaque-sha256:{opaque}").replace(
            '"protection":"none"', '"protection":"encrypted","cipher":"AES-256-CBC, PBKDF2"'
        )


def rows(number, host):
    """Ten rows: seven of what the block has, three of what is nowhere."""
    service = f"s{number}.example"
    tls = f"{name(host)}:/etc/ssl/{service}"
    home = f"{name(host)}:/home/{accounts[number % 4]}{number}/.ssh/id_ed25519"
    month = number % 9 + 1
    owner = owners[number % 5]
    a, b = digest("a certificate", number).hex(), digest("b certificate", number).hex()

    def row(sort, what, kind, place, fingerprint, *, expires="", serial="", issuer="", state="Active", environment="production"):
        key = f"{sort}-{number:06}"
        return f'{key},{what},{kind},{owner},2026-02-01,{expires},{state},{environment},{place},{fingerprint},{serial},"{issuer}"\n'

    place = f"{tls}/a.crt" if number % 40 else f"{tls}/elsewhere.crt"
    expires = f"2027-0{month}-11" if number % 30 else "2028-01-01"
    if number % 20 == 10:
        # It was renewed, and the row still names what was there before.
        a, expires = digest("old certificate", number).hex(), f"2026-0{month}-12"
    yield row("TA", f"{service} TLS", "TLS certificate", place, a, expires=expires)
    yield row("TB", f"b.{service} TLS", "TLS certificate", f"{tls}/b.crt", "", expires=f"2027-0{month}-11", serial=b[:32], issuer=authorities[number % 20])
    yield row("PK", f"{service} key", "private key", f"{tls}/a.key", digest("a", number).hex())
    what = "SSH user key" if number != host else "SSH host key"
    place = home if number != host else f"{name(host)}:/etc/ssh/ssh_host_ed25519_key"
    yield row("SU", f"user {number}", what, place, ssh(digest("user", number)))
    yield row("PU", f"signer {number}", "public key", f"{tls}/signing.pub", f"spki-sha256:{digest('public', number).hex()}")
    yield row("SE", f"token {number}", "secret key", f"{tls}/token.key", f"secret:{digest('secret', number).hex()[:32]}")
    yield row("CL", f"closed {number}", "private key", f"{tls}/closed.key", "")
    yield row("GO", f"gone {number}", "TLS certificate", f"{tls}/gone.crt", digest("gone", number).hex(), expires=f"2027-0{month}-11")
    yield row("EX", f"gone {number}", "TLS certificate", f"other{number % 97}.example:/etc/ssl/x.crt", digest("far", number).hex(), expires=f"2027-0{month}-11")
    yield row("DE", f"ended {number}", "SSH user key", "", ssh(digest("ended", number)), state="Decommissioned")


def place(line):
    path, offset = PLACE.search(line).groups()
    return path, int(offset)


def sweep(host, out):
    hash = hashlib.sha256()

    def write(line):
        data = line.encode()
        hash.update(data)
        out.write(data)

    header = {
        "record": "sweep", "schema": "keymuster.sweep/1", "tool": "keymuster 0.1.0", "host": name(host),
        "machine_id": digest("machine", host).hex(), "roots": ["/"], "started": "2026-11-20T02:00:00Z", "options": {},
    }
    write(json.dumps(header, separators=(",", ":")) + "\n")
    blocks = range(host, total // 10, hosts)
    lines = []
    for number in blocks:
        # A user's key opens an account of the next host; the last ones open none.
        lines.extend(block(number, host, (number + 1) if (number + 1) < total // 10 else number))
    # In the order in which a scan writes them.
    for line in sorted(lines, key=place):
        write(line)
    end = {
        "record": "end", "finished": "2026-11-20T02:10:00Z", "directories": 9000, "files": 80000, "bytes": 4_000_000_000,
        "sightings": len(lines), "keys": len(lines) // 2, "gaps": {}, "complete": True, "scope": "full", "sha256": hash.hexdigest(),
    }
    out.write((json.dumps(end, separators=(",", ":")) + "\n").encode())


(root / "sweeps").mkdir(parents=True)
for host in range(hosts):
    with open(root / "sweeps" / f"{name(host)}.jsonl", "wb") as out:
        sweep(host, out)
with open(root / "inventory.csv.part", "w") as out:
    out.write("Key ID,Name,Type,Owner,Created,Expires On,State,Environment,Location,Fingerprint,Serial,Issuer\n")
    for number in range(total // 10):
        out.writelines(rows(number, number % hosts))
(root / "inventory.csv.part").rename(root / "inventory.csv")
