"""export.py BASE_URL KEY VALUES|- [BUNDLES]: stix2-validator, python-stix2 and stix2-patterns on the
STIX export: every type with every option, alone, in pairs and all together; with BUNDLES, on the
pages in these files instead, the first of each as a whole too, and on a few indicators of every
type with a spread of options. VALUES lists [type, value] that must come back out of the
patterns. What the validator does not know is excepted, and listed."""

import itertools
import json
import re
import sys

import requests
import stix2
from stix2patterns.v21.pattern import Pattern
from stix2validator import ValidationOptions, validate_string

base_url, key, values_path, *more = sys.argv[1:]
whole = ValidationOptions(version="2.1", strict=True, strict_properties=True, enforce_refs=True,
                          disabled="103,302")
# What goes across objects is looked at in `check`, and where bundles are validated as a whole.
alone = ValidationOptions(version="2.1", strict=True, strict_properties=True, disabled="103,302")
TYPES = [None, "ipv4", "ipv6", "domain", "url", "md5", "sha1", "sha256", "sha512", "email", "cve",
         "mitre-attack", "ipv4,ipv6,domain"]
OPTIONS = {
    "include_identity": "false",
    "include_markings": "false",
    "tlp": "amber+strict",
    "tlp_version": "1.0",
    "include_observables": "true",
    "include_context": "true",
}
# What is asked of much data: each option alone, in every value, and all together.
SPREAD = [{}, {"format": "objects"}, {"include_revoked": "true"}, OPTIONS,
          *({"tlp": level} for level in ("clear", "green", "amber", "amber+strict", "red")),
          *({name: value} for name, value in OPTIONS.items() if name != "tlp")]
known = set()
excepted = {}


def is_excepted(item, errors):
    """Whether the validator knows less than the standards: no property of a pattern but STIX's own,
    no address with an apostrophe (RFC 5321, section 4.1.2)."""
    return bool(errors) and (
        all("Pattern failed to validate" in error and "not a valid" in error for error in errors)
        or all(error.endswith("is not a 'email'") for error in errors) and "'" in item["value"])


def check(bundle, what):
    """Fails unless the bundle is valid; objects that were found valid are not looked at again."""
    objects = bundle.get("objects", [])
    ids = {item["id"] for item in objects}
    assert len(ids) == len(objects), (what, "an object comes twice")
    for item in objects:
        for name, value in item.items():
            refs = value if name.endswith("_refs") else [value] if name.endswith("_ref") else []
            if name == "object_marking_refs" and "include_markings" in what:
                refs = []
            assert all(ref in ids for ref in refs), (what, item["id"], name, refs)
        text = json.dumps(item, sort_keys=True)
        if text in known:
            continue
        known.add(text)
        errors = [str(error) for error in validate_string(text, alone).errors]
        if is_excepted(item, errors):
            excepted[item["id"]] = item.get("pattern") or item["value"]
            continue
        assert not errors, (what, item, errors)
        stix2.parse(item, allow_custom=False)


def check_whole(bundle, what):
    """Fails unless the bundle, whose objects were checked, is valid as a whole too."""
    errors = [str(error) for error in validate_string(json.dumps(bundle), whole).errors]
    # Each object was judged: what is said of an excepted one is said again.
    errors = [error for error in errors if not error.startswith(tuple(excepted))]
    assert not errors, (what, errors)
    if bundle.get("objects"):
        stix2.parse(bundle, allow_custom=False)


def ask(session, params):
    answer = session.get(base_url + "/api/v1/iocs/stix", params=params)
    assert answer.status_code == 200, (params, answer.status_code, answer.text)
    objects = answer.json()
    # A bare array is checked as a bundle that nobody wrapped.
    return {"objects": objects} if params.get("format") == "objects" else objects


session = requests.Session()
session.headers["X-API-Key"] = key
asked = 0
# No option, each alone, every two together, and all: what they do to each other shows in pairs.
several = [chosen for count in (0, 1, 2, len(OPTIONS)) for chosen in
           itertools.combinations(OPTIONS.items(), count)]
combinations = [] if more else itertools.product(TYPES, several)
for kind, chosen in combinations:
    params = dict(chosen)
    if kind:
        params["type"] = kind
    bundle = ask(session, dict(params, limit=1000))
    check(bundle, str(params))
    asked += 1
    # The whole of it as it is, where all options are at one end or the other.
    if len(chosen) < 2 or len(chosen) == len(OPTIONS):
        check_whole(bundle, params)
for kind, params in itertools.product(TYPES if more else [], SPREAD):
    asked_for = dict(params, limit=8, **({"type": kind} if kind else {}))
    bundle = ask(session, asked_for)
    indicators = [item for item in bundle.get("objects", []) if item["type"] == "indicator"]
    assert indicators, (asked_for, "the data has some of every type")
    check(bundle, str(asked_for))
    asked += 1
    if params in ({}, OPTIONS):
        check_whole(bundle, asked_for)
for path in more:
    with open(path, encoding="utf-8") as file:
        for number, page in enumerate(json.load(file)):
            check(page, path)
            if number == 0:
                check_whole(page, path)


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
