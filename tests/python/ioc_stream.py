"""ioc_stream.py BASE_URL KEY BAD_KEY REVOKED_KEY OTHER_KEY LIMITED_KEY FILTERS: vt-py over the IoC
stream of one tenant.

OTHER_KEY may not read the stream; LIMITED_KEY is good for two requests a day.

FILTERS is a file: {"filters": {filter: [notification ids, newest first]}}.
"""

import json
import sys

import vt

base_url, key, bad_key, revoked_key, other_key, limited_key, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    filters = json.load(file)["filters"]


def ids(objects):
    return [o.context_attributes["notification_id"] for o in objects]


def fails(code, action):
    try:
        action()
    except vt.APIError as error:
        assert error.code == code, (error.code, error.message)
        return error.message
    raise AssertionError(f"no {code}")


with vt.Client(key, host=base_url) as client:
    for text, expected in filters.items():
        for order, wanted in (("date-", expected), ("date+", expected[::-1])):
            params = {"filter": text, "order": order}
            found = ids(client.iterator("/ioc_stream", params=params, batch_size=7))
            assert found == wanted, (text, order, found, wanted)
    everything = filters[""]

    plain = list(client.iterator("/ioc_stream", limit=3))
    assert ids(plain) == everything[:3]
    for o in plain:
        assert o.type in ("file", "domain", "url", "ip_address") and o.id
        assert isinstance(o.context_attributes["notification_date"], int)
        assert isinstance(o.context_attributes["sources"], list)
        assert isinstance(o.context_attributes["tags"], list)
    bare = next(client.iterator("/ioc_stream", params={"descriptors_only": "True"}))
    assert bare.to_dict()["attributes"] == {}, bare.to_dict()
    urls = list(client.iterator("/ioc_stream", params={"filter": "entity_type:url"}, limit=1))
    assert urls[0].url.startswith("https://") and len(urls[0].id) == 64
    hunted = next(client.iterator("/ioc_stream", params={"filter": "origin:hunting"}))
    assert "hunting_info" in hunted.context_attributes

    first = client.iterator("/ioc_stream", batch_size=5, limit=10)
    seen = ids(first)
    rest = client.iterator("/ioc_stream", cursor=first.cursor, batch_size=40)
    assert seen + ids(rest) == everything
    assert client.iterator("/ioc_stream").meta["count"] >= 11

    one = client.get_object("/ioc_stream_notifications/{}", everything[0])
    assert one.type == "ioc_stream_notification" and one.id == everything[0]
    assert one.date.year >= 2024 and one.entity_id and one.origin in ("hunting", "subscriptions")

    answer = client.delete("/ioc_stream_notifications/{}", everything[0])
    assert answer.status == 200 and answer.read() == b""
    gone = "/ioc_stream_notifications/" + everything[0]
    fails("NotFoundError", lambda: client.get_object(gone))
    deleted = client.delete(gone)
    error = vt.utils.make_sync(client.get_error_async(deleted))
    assert deleted.status == 404 and error.code == "NotFoundError", error
    assert ids(client.iterator("/ioc_stream", limit=1)) == everything[1:2]

    message = fails("BadRequestError", lambda: list(
        client.iterator("/ioc_stream", params={"filter": "origin:notHunting"})))
    assert message == ('origin "notHunting" is not valid. '
                       'Valid origins are: hunting,subscriptions'), message
    fails("InvalidArgumentError", lambda: list(
        client.iterator("/ioc_stream", params={"order": "name-"})))
    fails("InvalidArgumentError", lambda: list(client.iterator("/ioc_stream", cursor="bad-0")))
    fails("NotFoundError", lambda: client.get_object("/ioc_stream_notifications/1"))
    answer = client.delete("/ioc_stream?filter=tag:tag-1")
    assert answer.status == 200 and answer.read() == b""
    print("tag-1 deleted")

for refused, code in ((bad_key, "WrongCredentialsError"), (revoked_key, "UserNotActiveError"),
                      (other_key, "ForbiddenError")):
    with vt.Client(refused, host=base_url) as client:
        fails(code, lambda: next(client.iterator("/ioc_stream")))

with vt.Client(limited_key, host=base_url) as client:
    # Two of one day and two of the next, at midnight.
    message = fails("QuotaExceededError", lambda: [
        next(client.iterator("/ioc_stream")) for _ in range(5)])
    assert "plan allows 2 requests" in message, message
