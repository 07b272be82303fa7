"""read.py BASE_URL KEY COLLECTION LOADED FIRST: filters, manifest, one object, its versions."""

import datetime

from taxii2client.v21 import as_pages

from taxii_session import arguments, check_same, collection, objects_of, same, status_of

base_url, key, collection_id, path, first_path = arguments
loaded = objects_of(path)
(old,) = objects_of(first_path).values()
root, held = collection(base_url, key, collection_id)
new = loaded[old["id"]]
assert held.can_read and not held.can_write

check_same(held.get_objects(type="malware")["objects"],
           {i: o for i, o in loaded.items() if o["type"] == "malware"})
check_same(held.get_objects(id=[old["id"]])["objects"], {new["id"]: new})
check_same(held.get_objects(spec_version="2.1", limit=1000)["objects"], loaded)
assert held.get_objects(type="campaign") == {}

check_same(held.get_objects(id=old["id"], version="first")["objects"], {old["id"]: old})
both = held.get_objects(id=old["id"], version="all")["objects"]
assert same(both, [old, new]), both
moment = datetime.datetime.fromisoformat(old["modified"].replace("Z", "+00:00"))
check_same(held.get_object(old["id"], version=moment)["objects"], {old["id"]: old})
check_same(held.get_object(old["id"])["objects"], {new["id"]: new})
assert held.object_versions(old["id"])["versions"] == [old["modified"], new["modified"]]

entries = [e for page in as_pages(held.get_manifest, per_request=10) for e in page["objects"]]
assert {entry["id"] for entry in entries} == set(loaded)
assert all(entry["version"] == loaded[entry["id"]]["modified"] for entry in entries)
middle = entries[30]["date_added"]
after = held.get_objects(added_after=middle, limit=1000)["objects"]
assert [item["id"] for item in after] == [entry["id"] for entry in entries[31:]]
as_time = datetime.datetime.fromisoformat(middle.replace("Z", "+00:00"))
assert held.get_objects(added_after=as_time, limit=1000)["objects"] == after

unknown = "indicator--00000000-0000-4000-8000-000000000000"
assert status_of(lambda: held.get_object(unknown)) == 404
assert status_of(lambda: held.object_versions(unknown)) == 404
assert status_of(lambda: held.get_objects(version="newest")) == 400
assert status_of(lambda: held.get_objects(accept="application/vnd.oasis.taxii+json")) == 406
