"""walk.py BASE_URL KEY COLLECTION LOADED: every object with as_pages, in several page sizes."""

from taxii2client.common import TokenAuth
from taxii2client.v21 import Collection, as_pages

from taxii_session import arguments, check_same, collection, objects_of

base_url, key, collection_id, path = arguments
loaded = objects_of(path)
root, basic = collection(base_url, key, collection_id)

for size in (1000, 333):
    pages = list(as_pages(basic.get_objects, per_request=size))
    assert all(len(page["objects"]) <= size for page in pages)
    assert pages[-1].get("more", False) is False and "next" not in pages[-1]
    read = [item for page in pages for item in page["objects"]]
    check_same(read, loaded)

# Without a size the client asks for no limit and takes what it gets.
read = [item for page in as_pages(basic.get_objects) for item in page["objects"]]
check_same(read, loaded)

token = Collection(basic.url, auth=TokenAuth(key))
pages = as_pages(token.get_manifest, per_request=1000)
entries = [entry for page in pages for entry in page["objects"]]
assert [entry["id"] for entry in entries] == [item["id"] for item in read]
dates = [entry["date_added"] for entry in entries]
assert dates == sorted(dates) and len(set(dates)) == len(dates)

malware = [m for page in as_pages(token.get_objects, per_request=1, type="malware") for m in page["objects"]]
check_same(malware, {i: o for i, o in loaded.items() if o["type"] == "malware"})
print(len(read), "objects")
