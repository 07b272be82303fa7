"""What the client scripts have in common: the command line, the collection, exact comparison."""

import json
import sys

import requests
from taxii2client.v21 import Collection, Server


def collection(base_url, key, collection_id):
    """The collection, found as a newcomer finds it: discovery, API root, collections."""
    server = Server(base_url + "/taxii2/", user="anybody", password=key)
    assert server.default is not None, "default is literally one of api_roots"
    root = server.default
    assert root.max_content_length == 4 * 1024 * 1024, root.max_content_length
    assert "application/taxii+json;version=2.1" in root.versions, root.versions
    found = [one for one in root.collections if one.id == collection_id]
    assert len(found) == 1, [one.id for one in root.collections]
    return root, found[0]


def objects_of(path):
    """The objects of a bundle file, by id."""
    with open(path, encoding="utf-8") as file:
        return {item["id"]: item for item in json.load(file)["objects"]}


def same(left, right):
    """Deep equality that tells 1 from 1.0 and from True, as far as Python's JSON does."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def check_same(read, loaded):
    """Fails unless `read`, a list of objects, is what was loaded, each once."""
    ids = [item["id"] for item in read]
    assert len(set(ids)) == len(ids), "an object came twice"
    assert set(ids) == set(loaded), set(loaded) ^ set(ids)
    for item in read:
        assert same(item, loaded[item["id"]]), (item, loaded[item["id"]])


def status_of(call):
    """The HTTP status with which a call of the client fails, or None."""
    try:
        call()
    except requests.exceptions.HTTPError as error:
        return error.response.status_code
    return None


arguments = sys.argv[1:]
