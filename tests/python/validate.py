"""validate.py BASE_URL KEY COLLECTION: stix2-validator and stix2-patterns on what is served."""

import json

import stix2
from stix2patterns.validator import validate
from stix2validator import ValidationOptions, validate_string
from taxii2client.v21 import as_pages

from taxii_session import arguments, collection

root, held = collection(*arguments)
options = ValidationOptions(version="2.1", disabled="all")
count = 0
for page in as_pages(held.get_objects, per_request=50):
    for item in page["objects"]:
        result = validate_string(json.dumps(item), options)
        assert result.is_valid, (item, [str(error) for error in result.errors])
        stix2.parse(item, allow_custom=True)
        if item["type"] == "indicator":
            assert validate(item["pattern"], stix_version="2.1"), item["pattern"]
        count += 1
print(count, "valid")
