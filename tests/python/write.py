"""write.py BASE_URL KEY COLLECTION POSTED BAD: posts, reads the status, deletes."""

from taxii_session import arguments, check_same, collection, objects_of, status_of

base_url, key, collection_id, path, bad_path = arguments
posted = objects_of(path)
bad = objects_of(bad_path)
root, held = collection(base_url, key, collection_id)
assert held.can_read and held.can_write

status = held.add_objects({"objects": list(posted.values())}, timeout=30)
assert status.status == "complete", status.status
assert (status.total_count, status.success_count) == (len(posted), len(posted))
check_same(held.get_objects(limit=1000)["objects"], posted)

again = root.get_status(status.id)
assert again.status == "complete" and again.success_count == len(posted)
again.refresh()

status = held.add_objects({"objects": list(posted.values()) + list(bad.values())}, timeout=30)
assert (status.success_count, status.failure_count) == (len(posted), 1)
assert status.failures[0]["id"] in bad and status.failures[0]["message"]

gone = next(iter(posted))
held.delete_object(gone)
assert status_of(lambda: held.get_object(gone)) == 404
assert status_of(lambda: held.delete_object(gone)) == 404
del posted[gone]
check_same(held.get_objects(limit=1000)["objects"], posted)
assert gone not in [entry["id"] for entry in held.get_manifest(limit=1000)["objects"]]
