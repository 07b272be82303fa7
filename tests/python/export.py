"""export.py BASE_URL KEY VALUES|- [BUNDLES]: stix2-validator, python-stix2 and stix2-patterns on the
STIX export: every type with every option; with BUNDLES, on these as well. VALUES lists [type, value]
that must come back out of the patterns. Patterns of properties STIX does not know are excepted."""

import itertools
import json
import re
import sys

import requests
import stix2
from stix2patterns.v21.pattern import Pattern
from stix2validator import ValidationOptions, validate_string

base_url, key, values_path, *more = sys.argv[1:]
options = ValidationOptions(version="2.1", strict=True, strict_properties=True, enforce_refs=True,
                            disabled="103,302")
TYPES = [None, "ipv4", "ipv6", "domain", "url", "md5", "sha1", "sha256", "sha512", "email", "cve",
         "mitre-attack", "ipv4,ipv6,domain"]
CHOICES = {
    "include_identity": [None, "false"],
    "include_markings": [None, "false"],
    "tlp": [None, "amber+strict"],
    "tlp_version": [None, "1.0"],
    "include_observables": [None, "true"],
    "include_context": [None, "true"],
}
known = set()
excepted = {}


def check(bundle, what):
    """Fails unless the bundle is valid; objects that were found valid are not looked at again."""
    fresh = []
    for item in bundle.get("objects", []):
        text = json.dumps(item, sort_keys=True)
        if text not in known:
            known.add(text)
            fresh.append(item)
    ids = [item["id"] for item in bundle.get("objects", [])]
    assert len(set(ids)) == len(ids), (what, "an object comes twice")
    for item in bundle.get("objects", []):
        for name, value in item.items():
            refs = value if name.endswith("_refs") else [value] if name.endswith("_ref") else []
            if name == "object_marking_refs" and "include_markings" in what:
                refs = []
            assert all(ref in ids for ref in refs), (what, item["id"], name, refs)
    # The whole bundle, for what goes across its objects, but without those that were judged.
    small = dict(bundle, objects=fresh) if fresh else None
    if small is None:
        return
    for item in fresh:
        result = validate_string(json.dumps(item), loose)
        errors = [str(error) for error in result.errors]
        if errors and all("Pattern failed to validate" in error and "not a valid" in error
                          for error in errors):
            excepted[item["id"]] = item["pattern"]
            continue
        assert not errors, (what, item, errors)
        stix2.parse(item, allow_custom=False)


loose = ValidationOptions(version="2.1", strict=True, strict_properties=True, disabled="103,302")


def ask(session, params):
    answer = session.get(base_url + "/api/v1/iocs/stix", params=params)
    assert answer.status_code == 200, (params, answer.status_code, answer.text)
    return answer.json()


session = requests.Session()
session.headers["X-API-Key"] = key
asked = 0
combinations = [] if more else itertools.product(TYPES, itertools.product(*CHOICES.values()))
for kind, chosen in combinations:
    params = {name: value for name, value in zip(CHOICES, chosen) if value}
    if kind:
        params["type"] = kind
    bundle = ask(session, dict(params, limit=1000))
    check(bundle, str(params))
    asked += 1
    # The whole of it as it is, where all options are at one end or the other.
    if len(params) <= 2 or len(params) >= 6:
        result = validate_string(json.dumps(bundle), options)
        assert result.is_valid, (params, [str(error) for error in result.errors])
        if bundle.get("objects"):
            stix2.parse(bundle, allow_custom=False)
for path in more:
    with open(path, encoding="utf-8") as file:
        for page in json.load(file):
            check(page, path)


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S)


if values_path != "-":
    with open(values_path, encoding="utf-8") as file:
        expected = {value for _, value in json.load(file)}
    named = set()
    for item in ask(session, {"limit": 1000})["objects"]:
        if item["type"] == "indicator":
            for tests in Pattern(item["pattern"]).inspect().comparisons.values():
                named.update(unescaped(value) for _, _, value in tests)
    assert expected <= named, expected - named
for found, pattern in sorted(excepted.items()):
    print("excepted:", found, pattern)
print(asked, "bundles,", len(known), "objects,", len(excepted), "excepted")
