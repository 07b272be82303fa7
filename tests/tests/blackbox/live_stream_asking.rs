//! What a reader may ask for, in every form, and who may ask: over HTTP, and through the
//! function's real binary.

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::json;
use shared::access::Scope;
use shared::tlp::Tlp;
use tests::client::Answer;
use tests::collection::{Collection, CollectionSpec};
use tests::event_stream::{EventStream, Frame};
use tests::fixtures::{Object, SECOND, identity, indicator, indicators, malware, relationship};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;

over_both_transports!(
    streams:
    a_start_is_given_in_any_form_and_the_later_one_wins,
    recover_replays_the_state_and_is_forgotten_once_it_is_over,
    deletes_are_sent_unless_they_are_not_wanted,
    dependencies_are_as_the_stream_is_set_unless_the_reader_says,
    what_is_malformed_is_refused_by_name,
    only_what_lasts_is_refused,
    a_key_over_its_limit_is_put_off_and_not_refused,
    public_streams_are_read_and_listed_without_a_key,
    an_old_position_is_reset,
    nothing_above_the_ceiling_is_shown_or_named,
    a_relationship_made_later_comes_with_its_own_event,
    a_relationship_older_than_its_ends_membership_is_deleted_too,
);

async fn finite(w: &World, c: &Collection, parameters: &str) -> Vec<Frame> {
    let path = format!("{}?finite=true&{parameters}", c.stream());
    Frame::all_of(&w.stream_reader().get(&path).await.expect(200).text())
}

fn events(frames: &[Frame]) -> Vec<String> {
    let events = frames.iter().filter(|frame| frame.is_event());
    events.map(|event| event.object_id().to_owned()).collect()
}

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

async fn a_start_is_given_in_any_form_and_the_later_one_wins(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let mut objects = Vec::new();
    for object in indicators(3) {
        w.load(&c, std::slice::from_ref(&object)).await;
        objects.push(object.id().to_owned());
    }
    let all = finite(w, &c, "from=0").await;
    assert_eq!(events(&all), objects);
    let frames: Vec<&Frame> = all.iter().filter(|frame| frame.is_event()).collect();
    let (first, second) = (&frames[0].id, &frames[1].id);
    let millis = first.split('-').next().unwrap();
    let time = chrono::DateTime::from_timestamp_millis(millis.parse().unwrap()).unwrap();
    let iso = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    for start in [first.as_str(), millis, &iso, &iso.replace('Z', "%2B00:00")] {
        assert_eq!(events(&finite(w, &c, &format!("from={start}")).await), objects[1..], "{start}");
        let path = format!("{}?finite=true", c.stream());
        let start = start.replace("%2B", "+");
        let request = w.stream_reader().get(&path).header("last-event-id", &start);
        let told = events(&Frame::all_of(&request.await.expect(200).text()));
        assert_eq!(told, objects[1..], "Last-Event-ID: {start}");
    }
    let both = format!("from={first}&Last-Event-ID={second}");
    assert_eq!(events(&finite(w, &c, &both).await), objects[2..]);
    let other = format!("from={second}&last-event-id={first}");
    assert_eq!(events(&finite(w, &c, &other).await), objects[2..]);
    // Headers say the same, but the query comes first.
    let path = format!("{}?finite=true", c.stream());
    let request = w.stream_reader().get(&path).header("from", first);
    assert_eq!(events(&Frame::all_of(&request.await.expect(200).text())), objects[1..]);
    let request = w.stream_reader().get(&format!("{path}&from=0")).header("from", second);
    assert_eq!(events(&Frame::all_of(&request.await.expect(200).text())), objects);
}

async fn recover_replays_the_state_and_is_forgotten_once_it_is_over(w: &World) {
    let object = indicator();
    let c = w.holding(&[object.clone(), indicator()]).await;
    w.load(&c, &[object.at(SECOND)]).await;
    let recover = (Utc::now() + TimeDelta::seconds(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    // As pycti asks the first time.
    let path = format!("{}?recover={recover}&finite=true", c.stream());
    let request = w.stream_reader().get(&path).header("last-event-id", "0-0");
    let frames = Frame::all_of(&request.await.expect(200).text());
    let told: Vec<&Frame> = frames.iter().filter(|frame| frame.is_event()).collect();
    assert_eq!(told.len(), 2, "each object once, as it is now");
    assert!(told.iter().all(|frame| frame.event == "create"));
    assert!(told.iter().all(|frame| frame.data["origin"]["referer"] == "init"));
    // What a start leaves of the replay is one still.
    let from = format!("from={}&recover={recover}", told[0].id);
    let frames = finite(w, &c, &from).await;
    assert_eq!(events(&frames), [told[1].object_id()]);
    assert_eq!(frames[1].data["origin"]["referer"], "init");
    let long_ago = format!("{}?recover=2020-01-01T00:00:00Z&finite=true", c.stream());
    let newer = indicator();
    w.load(&c, std::slice::from_ref(&newer)).await;
    let request = w.stream_reader().get(&long_ago).header("last-event-id", &told[1].id);
    let frames = Frame::all_of(&request.await.expect(200).text());
    assert_eq!(events(&frames), [newer.id()]);
    assert_eq!(frames[1].data["origin"]["referer"], "live");
}

async fn deletes_are_sent_unless_they_are_not_wanted(w: &World) {
    let objects = indicators(2);
    let c = w.holding(&objects).await;
    let all = finite(w, &c, "from=0").await;
    let cursor = &all.iter().rfind(|frame| frame.is_event()).unwrap().id;
    let path = format!("/api/v1/objects/{}", objects[0].id());
    let _ = w.ingest().delete(&path).await.expect(200);
    w.at_rest().await;
    let last = indicator();
    w.load(&c, std::slice::from_ref(&last)).await;
    let gone = [objects[0].id().to_owned(), last.id().to_owned()];
    for (wanted, expected) in
        [("", &gone[..]), ("&listen-delete=true", &gone), ("&listen-delete=FALSE", &gone[1..])]
    {
        let frames = finite(w, &c, &format!("from={cursor}{wanted}")).await;
        assert_eq!(events(&frames), expected, "{wanted:?}");
    }
    assert_eq!(events(&finite(w, &c, "from=0").await), [objects[1].id(), last.id()]);
}

async fn dependencies_are_as_the_stream_is_set_unless_the_reader_says(w: &World) {
    let set = |dependencies| {
        CollectionSpec::filtered("entity_type", "Indicator")
            .streamed(json!({"dependencies": dependencies}))
    };
    let with = w.collection(set(true)).await;
    let without = w.collection(set(false)).await;
    let (one, family) = (indicator(), malware("Example Family"));
    let link = relationship(&one, &family);
    w.send(&[family.clone(), one.clone(), link.clone()]).await;
    w.at_rest().await;
    for (c, parameters, expected) in [
        (&with, "", true),
        (&with, "&no-dependencies=true", false),
        (&without, "", false),
        (&without, "&no-dependencies=false", true),
    ] {
        let told = events(&finite(w, c, &format!("from=0{parameters}")).await);
        assert_eq!(told.contains(&link.id().to_owned()), expected, "{parameters} {told:?}");
        assert_eq!(told.contains(&family.id().to_owned()), expected);
        assert!(told.contains(&one.id().to_owned()));
    }
}

async fn what_is_malformed_is_refused_by_name(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    for (query, named) in [
        ("from=yesterday", "`from`"),
        ("from=", "`from`"),
        ("from=1-2-3", "`from`"),
        ("from=1-1000000", "`from`"),
        ("Last-Event-ID=x", "`last-event-id`"),
        ("recover=1", "`recover`"),
        ("recover=2026-01-01", "`recover`"),
        ("no-dependencies=maybe", "`no-dependencies`"),
        ("listen-delete=1", "`listen-delete`"),
        ("from=0&from=0", "`from`"),
    ] {
        let answer = w.stream_reader().get(&format!("{}?{query}", c.stream())).await.expect(400);
        assert!(answer.text().contains(named), "{query}: {}", answer.text());
    }
    for (name, value) in [("last-event-id", "x"), ("recover", "x"), ("listen-delete", "x")] {
        let request = w.stream_reader().get(&c.stream()).header(name, value);
        let answer = request.await.expect(400);
        assert!(answer.text().contains(&format!("`{name}`")), "{}", answer.text());
    }
}

async fn only_what_lasts_is_refused(w: &World) {
    let readers = Some(vec!["reader".to_owned()]);
    let spec =
        CollectionSpec { readers, alias: Some("named".into()), ..CollectionSpec::everything() };
    let c = w.collection(spec).await;
    let path = format!("{}?finite=true&from=0", c.stream());
    let ask = async |spec: KeySpec| {
        let key = w.key(spec).await.text;
        w.streams.with_key(&key).get(&path).await
    };
    let reader = || KeySpec::of("reader").with([Scope::ReadStream]);
    let _ = ask(reader()).await.expect(200);
    let by_name = w.stream_reader().get("/stream/named?finite=true&from=0").await;
    let _ = by_name.expect(200);
    let refused = w.streams.get(&path).await.expect(401);
    assert_eq!(code(&refused), "missing_api_key");
    assert!(refused.header("www-authenticate").is_some());
    let refused = w.streams.with_key("wrong").get(&path).await.expect(401);
    assert_eq!(code(&refused), "invalid_api_key");
    let refused = ask(KeySpec::of("reader").with([Scope::ReadTaxii])).await.expect(403);
    assert_eq!(code(&refused), "missing_scope");
    let refused = ask(reader().cleared(Tlp::Green)).await.expect(403);
    assert_eq!(code(&refused), "clearance_required");
    let other = KeySpec::of("other").with([Scope::ReadStream]);
    assert_eq!(code(&ask(other).await.expect(404)), "not_found");
    let _ = w.stream_reader().get("/stream/unknown").await.expect(404);
    let stopped = CollectionSpec::everything().streamed(json!({"enabled": false}));
    let stopped = w.collection(stopped).await;
    // A warm function remembers what there is for a moment.
    let refused = until("the function knows it", async || {
        Some(w.stream_reader().get(&stopped.stream()).await).filter(|answer| answer.status != 404)
    });
    let refused = refused.await.expect(410);
    assert_eq!(code(&refused), "stream_stopped");
    let refused = w.stream_reader().post(&c.stream()).await.expect(405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    let head = w.stream_reader().request("HEAD", &c.stream()).await.expect(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream; charset=utf-8"));
}

async fn a_key_over_its_limit_is_put_off_and_not_refused(w: &World) {
    let terms = json!({"scopes": ["read:stream"], "requests_per_minute": 1});
    w.plan("meagre", terms).await;
    let c = w.holding(&indicators(1)).await;
    let key = w.key(KeySpec::of("reader").with([Scope::ReadStream]).on("meagre")).await.text;
    let put_off = async |query: &str| {
        let path = format!("{}?{query}finite=true", c.stream());
        // The first of a minute is served; a minute may end between two.
        for _ in 0..3 {
            let text = w.streams.with_key(&key).get(&path).await.expect(200).text();
            if text.starts_with("retry: 30000\n") {
                return text;
            }
        }
        panic!("it was never put off");
    };
    let frames = Frame::all_of(&put_off("from=5-999&").await);
    let said: Vec<&str> = frames.iter().map(|frame| frame.event.as_str()).collect();
    assert_eq!(said, ["connected", "heartbeat"]);
    assert!(frames.iter().all(|frame| frame.id == "5-999"), "it stands where it stood");
    // Who asks for what comes is not sent all there is when it comes again.
    let text = put_off("").await;
    assert!(text.contains("event: heartbeat") && !text.contains("id: "), "{text}");
}

async fn public_streams_are_read_and_listed_without_a_key(w: &World) {
    let clear = |spec: CollectionSpec| spec.ceiling(Tlp::Clear);
    let open = CollectionSpec::everything().streamed(json!({"public": true}));
    let open = w.collection(clear(open)).await;
    let closed = w.collection(clear(CollectionSpec::everything())).await;
    let object = indicator().marked(Tlp::Clear);
    w.load(&open, std::slice::from_ref(&object)).await;
    let answer = w.streams.get(&format!("{}?finite=true&from=0", open.stream())).await;
    let told = events(&Frame::all_of(&answer.expect(200).text()));
    assert_eq!(told, [Tlp::Clear.marking_id(), object.id()]);
    let _ = w.streams.get(&closed.stream()).await.expect(401);
    let listed = |answer: Answer| {
        let streams = answer.expect(200).json()["streams"].as_array().unwrap().clone();
        streams.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(w.http.get("/api/v1/streams").await), std::slice::from_ref(&open.id));
    let all = listed(w.http.with_key(w.reader_key()).get("/api/v1/streams").await);
    assert!(all.contains(&open.id) && all.contains(&closed.id));
}

async fn an_old_position_is_reset(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let old = (Utc::now() - TimeDelta::days(31)).timestamp_millis();
    let frames = finite(w, &c, &format!("from={old}-999")).await;
    assert_eq!(frames[0].data["reset"], true);
    assert_eq!(events(&frames), [object.id()]);
    let recent = (Utc::now() - TimeDelta::days(29)).timestamp_millis();
    let frames = finite(w, &c, &format!("from={recent}-999")).await;
    assert!(frames[0].data["reset"].is_null());
}

async fn nothing_above_the_ceiling_is_shown_or_named(w: &World) {
    let spec = CollectionSpec::filtered("entity_type", "Indicator").ceiling(Tlp::Green);
    let c = w.collection(spec).await;
    let author = identity("Example Org").marked(Tlp::Red);
    let family = malware("Secret Family").marked(Tlp::Amber);
    let one = indicator().marked(Tlp::Green).set("created_by_ref", author.id());
    let link = relationship(&one, &family).marked(Tlp::Green);
    let open = indicator().marked(Tlp::Green);
    w.send(&[author.clone(), family.clone(), one.clone(), link.clone(), open.clone()]).await;
    w.at_rest().await;
    let frames = finite(w, &c, "from=0&no-dependencies=false").await;
    let text = format!("{frames:?}");
    for hidden in [author.id(), family.id(), link.id(), "Secret Family"] {
        assert!(!text.contains(hidden), "{hidden} is named");
    }
    let cursor = frames.last().unwrap().id.clone();
    // It leaves because it is marked higher: what it says now is not shown either.
    let raised: Object = one.clone().at(SECOND).marked(Tlp::Red).set("description", "secret now");
    w.send(&[raised]).await;
    w.quiet(&c, &indicator().marked(Tlp::Green)).await;
    let frames = finite(w, &c, &format!("from={cursor}")).await;
    let delete = frames.iter().find(|frame| frame.event == "delete").expect("a delete");
    assert_eq!(delete.object_id(), one.id());
    assert!(!format!("{frames:?}").contains("secret now"));
}

async fn a_relationship_made_later_comes_with_its_own_event(w: &World) {
    let c = w.collection(CollectionSpec::filtered("entity_type", "Indicator")).await;
    let (one, family) = (indicator(), malware("Example Family"));
    w.load(&c, std::slice::from_ref(&one)).await;
    let path = format!("{}?from=0&no-dependencies=false", c.stream());
    let mut stream: EventStream = w.stream_reader().get(&path).open().await;
    assert_eq!(stream.next_event().await.object_id(), one.id());
    let link = relationship(&one, &family);
    w.send(&[family.clone(), link.clone()]).await;
    let told = stream.events(2).await;
    let said: Vec<&str> = told.iter().map(Frame::object_id).collect();
    assert_eq!(said, [family.id(), link.id()]);
    let _ = w.ingest().delete(&format!("/api/v1/objects/{}", link.id())).await.expect(200);
    let gone = stream.next_event().await;
    assert_eq!(gone.said(), ("delete".to_owned(), link.id().to_owned()));
}

async fn a_relationship_older_than_its_ends_membership_is_deleted_too(w: &World) {
    let spec = CollectionSpec::labelled("detection").streamed(json!({"dependencies": true}));
    let c = w.collection(spec).await;
    let all = w.collection(CollectionSpec::everything()).await;
    let (one, family) = (indicator(), malware("Example Family"));
    let link = relationship(&one, &family);
    w.load(&all, &[one.clone(), family, link.clone()]).await;
    let mut stream = w.stream_reader().get(&c.stream()).open().await;
    assert_eq!(stream.next().await.unwrap().event, "connected");
    w.send(&[one.at(SECOND).labelled("detection")]).await;
    assert_eq!(stream.events(3).await[2].object_id(), link.id());
    let _ = w.ingest().delete(&format!("/api/v1/objects/{}", link.id())).await.expect(200);
    let gone = stream.next_event().await;
    assert_eq!(gone.said(), ("delete".to_owned(), link.id().to_owned()));
}
