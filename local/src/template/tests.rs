use super::*;

#[test]
fn the_embedded_template_has_its_tables() {
    let tables = Template::embedded().unwrap().tables().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["AccessTable", "CollectionsTable", "NotificationsTable", "ObjectsTable"]);
    let objects = &tables[3];
    assert_eq!(objects.stream.as_deref(), Some("NEW_IMAGE"));
    assert_eq!(objects.key[0].name, "id");
    assert_eq!(objects.key[1].role, "RANGE");
    assert_eq!(tables[0].ttl.as_deref(), Some("ttl"));
    assert_eq!(objects.ttl, None);
}

#[test]
fn the_embedded_template_has_its_routes() {
    let routes = Template::embedded().unwrap().routes();
    let has = |path: &str, function: &str| {
        routes.iter().any(|r| r.method == "ANY" && r.path == path && r.function == function)
    };
    assert!(has("/taxii2", "TaxiiFunction"));
    assert!(has("/taxii2/{proxy+}", "TaxiiFunction"));
    assert!(has("/api/v1/objects/{id}", "IngestFunction"));
    assert!(has("$default", "TaxiiFunction"));
    // An HTTP API refuses such a path.
    assert!(routes.iter().all(|route| !route.path.ends_with('/')));
    assert!(has("/stream/{collection}", "StreamsFunction"));
}

#[test]
fn the_embedded_template_says_what_goes_to_a_functions_url() {
    let routes = Template::embedded().unwrap().front_routes();
    let route = |route: &Route| (route.path.clone(), route.function.clone());
    let expected = ("/stream/{collection}".to_owned(), "LiveStreamFunction".to_owned());
    assert_eq!(routes.iter().map(route).collect::<Vec<_>>(), [expected]);
}

#[test]
fn the_embedded_template_has_its_triggers() {
    let template = Template::embedded().unwrap();
    let streams = template.stream_triggers().unwrap();
    let functions: Vec<_> = streams.iter().map(|stream| stream.function.as_str()).collect();
    assert_eq!(
        functions,
        ["NotifyFunction", "NotifyFunction", "ProjectFunction", "RescanFunction"]
    );
    // No more than two read one stream, and what deletes does not wait behind what feeds.
    for table in ["CollectionsTable", "ObjectsTable"] {
        assert_eq!(streams.iter().filter(|stream| stream.table == table).count(), 2, "{table}");
    }
    let project = &streams[2];
    assert_eq!(project.table, "ObjectsTable");
    assert_eq!((project.batch_size, project.retries), (500, 2));
    assert!(project.bisect && project.reports_failures);
    assert!(!project.patterns.is_empty());
    let buckets = template.bucket_triggers().unwrap();
    assert_eq!(buckets[0].prefix, "inbox/");
    assert_eq!(buckets[0].bucket, template.buckets()[0]);
    let schedules = template.schedule_triggers().unwrap();
    let expire = schedules.iter().find(|schedule| schedule.function == "ExpireFunction").unwrap();
    assert_eq!((expire.period.as_secs(), expire.retries), (60, 2));
    assert!(schedules.iter().any(|schedule| schedule.function == "CompactFunction"));
}

#[test]
fn functions_get_the_names_of_this_machine() {
    let template = Template::embedded().unwrap();
    let environment = template.environment();
    assert_eq!(environment["IOCAST_OBJECTS_TABLE"], "ObjectsTable");
    assert_eq!(environment["IOCAST_BUCKET"], template.buckets()[0]);
    assert_eq!(environment["IOCAST_TAXII_ROOT"], "intel");
    assert!(!environment.contains_key("IOCAST_PUBLIC_BASE_URL"));
}

#[test]
fn long_forms_mean_the_same() {
    let text = r#"
Parameters: { Stage: { Type: String, Default: dev } }
Globals: { Function: { Environment: { Variables: { A: { Ref: T }, B: { "Fn::Sub": "${Stage}-${AWS::Region}" } } } } }
Resources:
  T: { Type: "AWS::DynamoDB::Table", Properties: { TableName: !Sub "${Stage}-t" } }
"#;
    let template = Template::parse(text).unwrap();
    assert_eq!(template.environment()["A"], "dev-t");
    assert_eq!(template.environment()["B"], "dev-us-east-1");
}

#[test]
fn what_is_no_template_is_refused_with_a_reason() {
    for (text, reason) in [
        ("[", "YAML"),
        ("a: 1", "Resources"),
        ("Resources: { X: { Properties: {} } }", "X: has no Type"),
    ] {
        let error = Template::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// Whether a function's role allows `action` on items of a table whose partition begins with
/// `partition`.
fn allows(function: &Resource, action: &str, table: &str, partition: &str) -> bool {
    let statements = function.properties["Policies"].as_array().into_iter().flatten();
    let statements = statements.filter_map(|policy| policy["Statement"].as_array()).flatten();
    statements.into_iter().any(|statement| {
        let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let begins = |key: &Value| key.as_str().is_some_and(|key| key.starts_with(partition));
        statement["Action"].to_string().contains(action)
            && statement["Resource"].to_string().contains(table)
            && keys.as_array().is_none_or(|keys| keys.iter().any(begins))
    })
}

/// Functions of which one of the handlers calls what needs these rights: found in their sources,
/// so that a new one is not forgotten.
fn functions_whose_source_has(template: &Template, call: &str) -> Vec<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let has = |binary: &str| {
        let sources = std::fs::read_dir(crates.join(binary).join("src")).unwrap();
        let mut sources =
            sources.filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok());
        sources.any(|source| source.contains(call))
    };
    let functions = template.of_kind("AWS::Serverless::Function");
    let named = functions.filter(|(_, function)| {
        has(function.metadata["BuildProperties"]["Binary"].as_str().unwrap())
    });
    named.map(|(id, _)| id.to_owned()).collect()
}

#[test]
fn who_authenticates_may_count_requests() {
    let template = Template::embedded().unwrap();
    let mut functions = functions_whose_source_has(&template, "authenticate(");
    functions.extend(functions_whose_source_has(&template, "ioc_stream::visitor("));
    assert!(functions.len() > 7, "{functions:?}");
    for id in functions {
        let function = &template.resources[&id];
        for partition in ["USED#", "KEY#"] {
            assert!(allows(function, "UpdateItem", "AccessTable", partition), "{id} {partition}");
        }
        assert!(allows(function, "GetItem", "AccessTable", "KEY#"), "{id}");
    }
}

#[test]
fn who_projects_may_do_all_that_projection_does() {
    let template = Template::embedded().unwrap();
    for id in ["ExpireFunction", "ProjectFunction", "RescanFunction", "TaxiiFunction"] {
        let function = &template.resources[id];
        for action in ["BatchGetItem", "GetItem", "Query", "UpdateItem", "PutItem", "DeleteItem"] {
            // What expires is an indicator, and no way to an actor begins or ends with that.
            let needed = (id, action) != ("ExpireFunction", "DeleteItem");
            let allowed = allows(function, action, "ObjectsTable", "");
            assert_eq!(allowed, needed, "{id} {action} of objects");
        }
        for action in ["Query", "PutItem", "UpdateItem"] {
            assert!(allows(function, action, "CollectionsTable", ""), "{id} {action} of logs");
        }
        for action in ["GetItem", "Query"] {
            assert!(allows(function, action, "AccessTable", "SUBSCRIBED"), "{id} {action}");
        }
    }
}
