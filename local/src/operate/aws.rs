//! The few calls to AWS that a look at a stack takes: signed, over the HTTP client that is here
//! anyway, instead of a whole SDK for each of five services.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Client;
use serde_json::Value;

use super::Fault;
use crate::http_client;

/// Resources of a stack by page; no stack of ours has more pages.
const MAX_PAGES: usize = 20;

/// An account and region, with credentials from the environment.
pub struct Aws {
    client: Client,
    region: String,
    credentials: Credentials,
    endpoint: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name in the account.
    pub physical_id: String,
    /// Such as `AWS::DynamoDB::Table`.
    pub kind: String,
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// What to do where the environment lacks credentials.
pub const CREDENTIALS_HINT: &str =
    "set it, or run: eval \"$(aws configure export-credentials --format env)\"";

impl Aws {
    /// By `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` (or
    /// `AWS_DEFAULT_REGION`) and `AWS_ENDPOINT_URL`.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_env() -> Result<Self, Fault> {
        let required = |name: &str| {
            let missing = || Fault::new(format!("{name} is not set")).hint(CREDENTIALS_HINT);
            set(name).ok_or_else(missing)
        };
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            set("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let region = region.ok_or_else(|| {
            Fault::new("AWS_REGION is not set").hint("such as AWS_REGION=us-east-1")
        })?;
        let endpoint = set("AWS_ENDPOINT_URL");
        let client = http_client::to(endpoint.as_deref().unwrap_or("https://amazonaws.com"))
            .map_err(|error| Fault::new(error.to_string()))?;
        Ok(Self { client, region, credentials, endpoint })
    }

    fn endpoint(&self, service: &str) -> String {
        let suffix = if self.region.starts_with("cn-") { ".cn" } else { "" };
        self.endpoint.clone().map_or_else(
            || format!("https://{service}.{}.amazonaws.com{suffix}", self.region),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        )
    }

    async fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<String, Fault> {
        let url = format!("{}{path}", self.endpoint(service));
        let failed = |what: String| Fault::new(format!("{service}: {what}"));
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.to_string()))?
            .into();
        let signable = SignableRequest::new(
            method,
            &url,
            headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signable = signable.map_err(|error| failed(error.to_string()))?;
        let (signed, _) =
            sign(signable, &params).map_err(|error| failed(error.to_string()))?.into_parts();
        let method = reqwest::Method::from_bytes(method.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
        let mut request = self.client.request(method, &url).body(body);
        request = request.timeout(Duration::from_secs(20));
        for (name, value) in headers.iter().copied().chain(signed.headers()) {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| failed(error.to_string()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| failed(error.to_string()))?;
        if status.is_success() {
            return Ok(text);
        }
        Err(failed(said(&text).unwrap_or_else(|| status.to_string())))
    }

    /// A call of a service that speaks the query protocol; its XML.
    ///
    /// # Errors
    /// When it is refused or there is no answer.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String, Fault> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(service, "POST", "/", &headers, form.finish()).await
    }

    /// A call of a service that speaks JSON: its version (`1.0`, `1.1`), and the operation.
    ///
    /// # Errors
    /// When it is refused or there is no answer.
    pub async fn json(
        &self,
        service: &str,
        (version, operation): (&str, &str),
        body: &Value,
    ) -> Result<Value, Fault> {
        let content_type = format!("application/x-amz-json-{version}");
        let headers = [("content-type", content_type.as_str()), ("x-amz-target", operation)];
        let text = self.send(service, "POST", "/", &headers, body.to_string()).await?;
        serde_json::from_str(&text).map_err(|error| Fault::new(format!("{service}: {error}")))
    }

    /// A GET of a service that speaks REST.
    ///
    /// # Errors
    /// When it is refused or there is no answer.
    pub async fn get(&self, service: &str, path: &str) -> Result<Value, Fault> {
        let text = self.send(service, "GET", path, &[], String::new()).await?;
        serde_json::from_str(&text).map_err(|error| Fault::new(format!("{service}: {error}")))
    }

    /// The resources of a stack.
    ///
    /// # Errors
    /// When there is no such stack, or it may not be looked at.
    pub async fn stack(&self, name: &str) -> Result<Vec<StackResource>, Fault> {
        let (mut all, mut next) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let mut parameters = vec![
                ("Action", "ListStackResources"),
                ("Version", "2010-05-15"),
                ("StackName", name),
            ];
            parameters.extend(next.as_deref().map(|token| ("NextToken", token)));
            let xml = self.query("cloudformation", &parameters).await.map_err(|fault| {
                fault.hint(format!("is there a stack {name:?} in {}? see --stack", self.region))
            })?;
            all.extend(members(&xml).into_iter().filter_map(|mut member| {
                Some(StackResource {
                    logical_id: member.remove("LogicalResourceId")?,
                    physical_id: member.remove("PhysicalResourceId")?,
                    kind: member.remove("ResourceType")?,
                })
            }));
            next = texts(&xml, "NextToken").into_iter().next();
            if next.is_none() {
                break;
            }
        }
        Ok(all)
    }
}

/// What a refusal says: XML of the query protocol, or JSON in either spelling.
fn said(refusal: &str) -> Option<String> {
    let json = serde_json::from_str::<Value>(refusal).ok();
    let of_json = json.and_then(|body| {
        let message = body.get("message").or_else(|| body.get("Message"))?;
        message.as_str().map(str::to_owned)
    });
    let message = of_json.or_else(|| texts(refusal, "Message").into_iter().next())?;
    Some(message.chars().take(300).collect())
}

/// The `<member>`s of an answer: the texts of their elements by name.
#[must_use]
pub fn members(xml: &str) -> Vec<BTreeMap<String, String>> {
    let (mut all, mut current) = (Vec::new(), BTreeMap::new());
    walk(xml, |path, text| match text {
        Some(text) => {
            if let Some(name) = path.last() {
                current.insert(name.clone(), text.to_owned());
            }
        }
        None if path.last().is_some_and(|name| name == "member") => {
            all.push(std::mem::take(&mut current));
        }
        None => {}
    });
    all
}

/// The texts of all elements of this name.
#[must_use]
pub fn texts(xml: &str, wanted: &str) -> Vec<String> {
    let mut all = Vec::new();
    walk(xml, |path, text| {
        if let Some(text) = text
            && path.last().is_some_and(|name| name == wanted)
        {
            all.push(text.to_owned());
        }
    });
    all
}

/// Tells of every text with the elements around it, and of the end of every element.
fn walk(xml: &str, mut tell: impl FnMut(&[String], Option<&str>)) {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
            }
            Ok(Event::Text(text)) => {
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                if !text.is_empty() {
                    tell(&path, Some(&text));
                }
            }
            Ok(Event::End(_)) => {
                tell(&path, None);
                path.pop();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_an_answer_are_read() {
        let xml = "<R xmlns=\"x\"><S><member><A>1</A><B>two</B></member>\n<member><A>3</A>\
                   </member></S><NextToken>t</NextToken></R>";
        let read = members(xml);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0]["B"], "two");
        assert_eq!(read[1]["A"], "3");
        assert_eq!(texts(xml, "NextToken"), ["t"]);
        assert!(members("<broken").is_empty());
        let refusal =
            "<ErrorResponse><Error><Message>no such stack</Message></Error></ErrorResponse>";
        assert_eq!(said(refusal).as_deref(), Some("no such stack"));
        assert_eq!(said("{\"message\":\"denied\"}").as_deref(), Some("denied"));
    }
}
