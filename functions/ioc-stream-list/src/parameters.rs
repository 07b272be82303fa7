//! What a client may ask for.

use chrono::{DateTime, Utc};
use shared::cursor::Secret;
use shared::http::Query;
use shared::ioc_stream::Fault;
use shared::notification::filter::NotificationFilter;
use shared::notification::{NotificationId, cursor};
use url::form_urlencoded::Serializer;

/// Objects of a page unless the client says otherwise.
const DEFAULT_LIMIT: usize = 10;
/// Objects of a page at the most; who asks for more gets as many.
const MAX_LIMIT: usize = 40;

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `date-`
    NewestFirst,
    /// `date+`
    OldestFirst,
}

/// The parameters of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Which notifications.
    pub filter: NotificationFilter,
    written_filter: Option<String>,
    /// In which order.
    pub order: Order,
    /// How many.
    pub limit: usize,
    /// After this one.
    pub after: Option<NotificationId>,
    /// The cursor that says so.
    pub cursor: Option<String>,
    /// Without links and attributes.
    pub descriptors_only: bool,
}

impl Parameters {
    /// Reads a query; ages in the filter are counted back from `now`.
    ///
    /// # Errors
    /// 400 that names the parameter and what it may be.
    pub fn read(query: &Query, secret: &Secret, now: DateTime<Utc>) -> Result<Self, Fault> {
        let written = query.one("filter")?;
        let cursor = query.one("cursor")?.filter(|text| !text.is_empty());
        Ok(Self {
            filter: NotificationFilter::parse(written.unwrap_or_default(), now)?,
            written_filter: written.map(str::to_owned),
            order: order(query.one("order")?)?,
            limit: limit(query.one("limit")?)?,
            after: cursor.map(|text| cursor::open(secret, text)).transpose()?,
            cursor: cursor.map(str::to_owned),
            descriptors_only: flag("descriptors_only", query.one("descriptors_only")?)?,
        })
    }

    /// The URL of the page behind a cursor, with everything else as it was asked for.
    #[must_use]
    pub fn url(&self, base: &str, cursor: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        if let Some(filter) = &self.written_filter {
            query.append_pair("filter", filter);
        }
        if self.order == Order::OldestFirst {
            query.append_pair("order", "date+");
        }
        query.append_pair("limit", &self.limit.to_string());
        if self.descriptors_only {
            query.append_pair("descriptors_only", "true");
        }
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
        format!("{base}/api/v3/ioc_stream?{}", query.finish())
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn order(text: Option<&str>) -> Result<Order, Fault> {
    match text {
        None | Some("" | "date-") => Ok(Order::NewestFirst),
        // The plus of a client that did not encode it is a space.
        Some("date+" | "date ") => Ok(Order::OldestFirst),
        Some(other) => Err(Fault::argument(format!(
            "order \"{}\" is not valid. Valid orders are: date-,date+",
            shown(other)
        ))),
    }
}

fn limit(text: Option<&str>) -> Result<usize, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(DEFAULT_LIMIT) };
    let digits = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u128>() {
        Ok(limit @ 1..) if digits => Ok(usize::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        _ => Err(Fault::argument(format!(
            "limit \"{}\" is not valid. It is a whole number from 1 to {MAX_LIMIT}",
            shown(text)
        ))),
    }
}

fn flag(name: &str, text: Option<&str>) -> Result<bool, Fault> {
    match text.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        other => Err(Fault::argument(format!(
            "{name} \"{}\" is not valid. Valid values are: true,false",
            shown(other)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Parameters, Fault> {
        Parameters::read(&Query::parse(query).unwrap(), &[7; 32], Utc::now())
    }

    #[test]
    fn what_is_not_said_has_its_default_and_more_is_capped() {
        let plain = read("").unwrap();
        assert_eq!((plain.limit, plain.order), (10, Order::NewestFirst));
        assert_eq!(read("limit=41").unwrap().limit, 40);
        assert_eq!(read("limit=99999999999999999999").unwrap().limit, 40);
        assert!(read("descriptors_only=True").unwrap().descriptors_only);
        for order in ["date%2B", "date+"] {
            assert_eq!(read(&format!("order={order}")).unwrap().order, Order::OldestFirst);
        }
        for bad in [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=%2B1",
            "order=date",
            "order=name-",
            "cursor=x",
            "descriptors_only=1",
            "filter=x",
            "limit=1&limit=2",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_url_of_the_next_page_asks_for_the_same() {
        let asked = read("filter=date:1d%2B+tag:%22a+b%22&order=date%2B&limit=7").unwrap();
        let cursor = cursor::seal(&[7; 32], NotificationId::MIN).unwrap();
        let url = asked.url("https://intel.example.com", Some(&cursor));
        let (_, query) = url.split_once('?').unwrap();
        let next = read(query).unwrap();
        assert_eq!(next.after, Some(NotificationId::MIN));
        assert_eq!((next.order, next.limit), (asked.order, 7));
        assert_eq!(next.written_filter.as_deref(), Some("date:1d+ tag:\"a b\""));
    }
}
