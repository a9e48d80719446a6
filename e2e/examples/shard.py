"""A shard of the ring checksum-controller in plain Python: docs/protocol.md in some hundred lines.

Usage: shard.py NAME NAMESPACE HOST:PORT, the address of a `kubectl proxy`, which adds TLS and credentials
"""
import base64, hashlib, http.client, json, os, signal, sys, threading, time, uuid
from datetime import datetime, timezone
from urllib.parse import quote

NAME, NAMESPACE, HOST = sys.argv[1:]
RING, GROUP, IDENTITY = "checksum-controller", "alpha.sharding.timebertt.dev/", str(uuid.uuid4())
SHARD, DRAIN = f"shard.{GROUP}{RING}", f"drain.{GROUP}{RING}"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
lease, sent_at, settled, idle, stopping, lock = None, 0.0, False, False, False, threading.Lock()

def request(method, path, body=None, content="application/json", timeout=4.0):
    connection = http.client.HTTPConnection(HOST, timeout=timeout)
    connection.request(method, path, body and json.dumps(body), {"Content-Type": content})
    return connection.getresponse()

def call(*args, **options):
    response = request(*args, **options)
    return response.status, json.loads(response.read())

def write(method, path, body, content="application/json"):
    """No write begins 10 s after the last renewal was sent, and none outlives the 14th second."""
    left = sent_at + 10 - time.monotonic()
    if left <= 0: os._exit(1)
    timeout = min(4.0, left + 4)
    return call(method, f"{path}?timeout={timeout:.3f}s", body, content, timeout=timeout)

def hold(document, method="PUT"):
    """Writes the Lease, only over the version that was read. Whether it worked."""
    global lease, sent_at
    at = time.monotonic()
    document["spec"]["renewTime"] = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    status, answer = call(method, LEASES + ("" if method == "POST" else f"/{NAME}"), document)
    if status < 300: lease, sent_at = answer, at
    return status < 300

def acquire():
    """Takes the name. Returns how many seconds to settle: a sharder may still be moving what the name had."""
    seen, since = None, time.monotonic()
    while True:
        status, found = call("GET", f"{LEASES}/{NAME}")
        meta = {"name": NAME, "labels": {GROUP + "controllerring": RING}, "annotations": {GROUP + "pod-uid": IDENTITY}}
        mine = {"metadata": meta, "spec": {"holderIdentity": NAME, "leaseDurationSeconds": 15}}
        if status == 404:
            used = call("GET", f"/api/v1/secrets?limit=1&labelSelector={quote(f'{SHARD}={NAME}')}")[1]["items"]
            if used: meta["annotations"][GROUP + "settling"] = "true"
            if hold(mine, "POST"): return 11 if used else 0
        else:
            if found["metadata"].get("labels", {}).get(GROUP + "controllerring") != RING: sys.exit("not this ring's Lease")
            spec, duration = found["spec"], found["spec"].get("leaseDurationSeconds", 15)
            if seen != spec: seen, since = spec, time.monotonic()
            forced = GROUP + "forced" in found["metadata"].get("annotations", {})  # its last shard may live still
            free = spec.get("holderIdentity", "") in ("", "shardlease-controller") and not forced
            if free or time.monotonic() - since > duration:
                mine["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
                mine["spec"]["leaseTransitions"] = spec.get("leaseTransitions", 0) + 1
                meta["annotations"][GROUP + "settling"] = "true"  # the sharder gives it nothing new meanwhile
                if hold(mine): return 11
        time.sleep(1)

def read_again():
    """The sharder labels the Lease, so versions change. One that another process holds is lost, a label taken off is put back."""
    lease.update(call("GET", f"{LEASES}/{NAME}")[1])
    meta = lease["metadata"]
    annotations = meta.get("annotations", {})
    if lease["spec"].get("holderIdentity") != NAME or annotations.get(GROUP + "pod-uid") != IDENTITY: os._exit(1)
    if settled: annotations.pop(GROUP + "settling", None)
    meta.setdefault("labels", {})[GROUP + "controllerring"] = RING

def renew():
    while True:
        time.sleep(2)
        with lock:
            if stopping: return
            try:
                if hold(lease): continue
                read_again()
                hold(lease)
            except (OSError, http.client.HTTPException, KeyError): pass
            if time.monotonic() > sent_at + 10: os._exit(1)

def relabel(path, tests, labels, to):
    """Only if nothing has changed that the decision was made on (422 if it has)."""
    at = lambda label: "/metadata/labels/" + label.replace("/", "~1")
    patch = [{"op": "test", "path": path, "value": value} for path, value in tests]
    patch += [{"op": "test", "path": at(label), "value": value} for label, value in labels.items()]
    patch += [{"op": "remove", "path": at(label)} for label in labels]
    if to: patch.append({"op": "add", "path": at(SHARD), "value": to})
    return write("PATCH", path, patch, "application/json-patch+json")[0] < 300

def hand_over(meta, children):
    """What the owner controls first, the owner last. An empty name: it leaves the ring."""
    to = meta["labels"][DRAIN]
    for child in call("GET", f"{children}?labelSelector={quote(SHARD)}")[1]["items"]:
        for i, owner in enumerate(child["metadata"].get("ownerReferences", [])):
            label = child["metadata"]["labels"][SHARD]
            if owner.get("controller") and owner["uid"] == meta["uid"] and label != to:
                tests = [("/metadata/uid", child["metadata"]["uid"]), (f"/metadata/ownerReferences/{i}/uid", meta["uid"])]
                if not relabel(f"{children}/{child['metadata']['name']}", tests, {SHARD: label}, to): return
    tests = [("/metadata/uid", meta["uid"]), ("/metadata/resourceVersion", meta["resourceVersion"])]
    relabel(f"/api/v1/namespaces/{meta['namespace']}/secrets/{meta['name']}", tests, {SHARD: NAME, DRAIN: to}, to)

def reconcile(secret):
    meta, children = secret["metadata"], f"/api/v1/namespaces/{secret['metadata']['namespace']}/configmaps"
    if DRAIN in meta["labels"]: return hand_over(meta, children)
    if "deletionTimestamp" in meta: return
    owner = {"apiVersion": "v1", "kind": "Secret", "name": meta["name"], "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True}
    labels = {k: v for k, v in meta["labels"].items() if ".sharding.timebertt.dev/" not in k} | {"secret": meta["name"], SHARD: NAME}
    data = {k: hashlib.sha256(base64.b64decode(v or "")).hexdigest() for k, v in (secret.get("data") or {}).items()}
    wanted = {"metadata": {"name": f"checksums-{meta['name']}", "labels": labels, "ownerReferences": [owner]}, "data": data}
    status, live = call("GET", f"{children}/{wanted['metadata']['name']}")
    if status == 404: write("POST", children, wanted)
    elif [o["uid"] for o in live["metadata"].get("ownerReferences", []) if o.get("controller")] != [meta["uid"]]: return
    elif (live.get("data", {}), live["metadata"].get("labels")) != (data, labels):
        wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        write("PUT", f"{children}/{wanted['metadata']['name']}", wanted)

class Stop(Exception): pass

def stop(*_):
    global stopping
    stopping = True
    if idle: raise Stop  # not in the middle of a write

def work():
    """Lists and watches its own objects, and does one after the other: when one is asked back, nothing is under way."""
    global idle
    mine = f"/api/v1/secrets?labelSelector={quote(f'{SHARD}={NAME}')}"
    while not stopping:
        try:
            listed = call("GET", mine)[1]
            for secret in listed["items"]:
                if stopping: return
                reconcile(secret)
            # A watch of 10 s: what failed is done again after the next list.
            events = request("GET", f"{mine}&watch=1&timeoutSeconds=10&resourceVersion={listed['metadata']['resourceVersion']}", timeout=20.0)
            while not stopping:
                idle = True
                line = events.readline()
                idle = False
                if not line: break
                event = json.loads(line)
                if event["type"] in ("ADDED", "MODIFIED"): reconcile(event["object"])
        except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
            print(error, file=sys.stderr)
            time.sleep(1)
        finally: idle = False

settle = acquire()
threading.Thread(target=renew, daemon=True).start()
signal.signal(signal.SIGTERM, stop)
try:
    time.sleep(settle)
    with lock:
        settled = True
        lease["metadata"]["annotations"].pop(GROUP + "settling", None)  # written by the next renewal
    work()
except Stop: pass
with lock:  # released after the last write: its objects move at once
    lease["spec"]["holderIdentity"] = ""
    while not hold(lease):
        read_again()
        lease["spec"]["holderIdentity"] = ""
