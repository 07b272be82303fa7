"""listen.py STREAM_URL KEY LAST_ID OUTPUT: consumes a stream with pycti's own ListenStream, as
OpenCTI's consumers do (deletes cascade), until the object LAST_ID is there; writes what it has
then. Whatever would end pycti's process ends this one with 3."""

import datetime
import json
import os
import sys

from pycti.connector.opencti_connector_helper import ListenStream

url, key, last_id, output = sys.argv[1:]


def die(*reason):
    print("pycti would have died:", reason, file=sys.stderr)
    os._exit(3)


sys.excepthook = die


class Logger:
    def error(self, *message):
        print(*message, file=sys.stderr)

    info = debug = warning = lambda self, *message: None


class Helper:
    """What ListenStream asks of a connector's helper."""

    connector_logger = Logger()
    state = None

    def get_state(self):
        return self.state

    def set_state(self, state):
        self.state = state

    def date_now_z(self):
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


has, faults, events = {}, [], 0


def refs_of(value):
    for name, member in value.items():
        if name.endswith("_ref"):
            yield member
        elif name.endswith("_refs"):
            yield from member


def drop(gone):
    has.pop(gone, None)
    ends = ("source_ref", "target_ref")
    for other in [i for i, o in has.items() if gone in [o.get(end) for end in ends]]:
        drop(other)


def take(message):
    global events
    events += 1
    event = json.loads(message.data)
    thing = event["data"]
    if event["type"] != message.event:
        faults.append(f"{message.event} says it is {event['type']}")
    if event["type"] == "delete":
        drop(thing["id"])
        return
    for ref in refs_of(thing):
        if ref not in has:
            faults.append(f"{event['type']} of {thing['id']} refers to {ref}")
    has[thing["id"]] = thing
    if thing["id"] == last_id:
        with open(output, "w", encoding="utf-8") as file:
            json.dump({"events": events, "faults": faults, "has": has}, file)
        sys.stdout.flush()
        os._exit(0)


stream = ListenStream(
    Helper(), take, url, key, True, None, "stream", True, False, None, False
)
stream.start()
stream.join()
die("the stream ended")
