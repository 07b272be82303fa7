//! What clients read over TAXII is what the log holds, byte for byte as it was sent.

use shared::log::Seen;

use super::Bodies;
use super::chain::Log;
use crate::lab::{Lab, Listed, Page};
use crate::model::Model;

pub(super) async fn check(
    lab: &Lab,
    model: &Model,
    collection: usize,
    log: &Log,
    bodies: &Bodies,
) -> Result<(), String> {
    let reading = Reading { lab, model, collection, bodies };
    let present: Vec<&Seen> = log.entries.iter().filter(|seen| seen.present).collect();
    let current: Vec<&Seen> = present.iter().copied().filter(|seen| seen.current).collect();
    let oldest: Vec<&Seen> = present.iter().copied().filter(|seen| seen.oldest).collect();
    for (versions, wanted) in [("last", &current), ("all", &present), ("first", &oldest)] {
        let query = format!("match%5Bversion%5D={versions}");
        reading.objects(&query, "7", wanted).await?;
    }
    reading.manifest("match%5Bversion%5D=all", "3", &present).await?;
    // From every third position on.
    for (index, seen) in present.iter().enumerate().skip(1).step_by(3) {
        let query = format!("match%5Bversion%5D=all&added_after={}", seen.entry.position);
        reading.manifest(&query, "9", &present[index + 1..]).await?;
    }
    let ids: Vec<String> = model.ids().iter().map(ToString::to_string).collect();
    let all = format!("match%5Bid%5D={}", ids.join(","));
    for (versions, wanted) in [("last", &current), ("all", &present), ("first", &oldest)] {
        let query = format!("{all}&match%5Bversion%5D={versions}");
        reading.objects(&query, "11", wanted).await?;
    }
    for id in ids.iter().take(2) {
        reading.one(id, &present).await?;
    }
    Ok(())
}

struct Reading<'a> {
    lab: &'a Lab,
    model: &'a Model,
    collection: usize,
    bodies: &'a Bodies,
}

impl Reading<'_> {
    async fn get(&self, rest: &str) -> Page {
        let collection = &self.model.collections[self.collection].0;
        self.lab.taxii(self.lab.witness(), "GET", collection, rest).await
    }

    /// All pages, going on by `next`.
    async fn pages(&self, path: &str, query: &str, limit: &str) -> Result<Vec<Page>, String> {
        let mut pages = vec![self.get(&format!("{path}?limit={limit}&{query}")).await];
        while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
            pages.push(self.get(&format!("{path}?next={next}")).await);
            if pages.len() > 1000 {
                return Err(format!("{path}?{query} does not come to an end"));
            }
        }
        for page in &pages {
            let full = page.items.len().to_string() == limit;
            if page.status != 200 || (page.next.is_some() && !full) {
                return Err(format!("a page that should be full: {page:?}"));
            }
        }
        Ok(pages)
    }

    async fn objects(&self, query: &str, limit: &str, wanted: &[&Seen]) -> Result<(), String> {
        let pages = self.pages("objects/", query, limit).await?;
        let found: Vec<&String> = pages.iter().flat_map(|page| &page.items).collect();
        let wanted = wanted.iter().map(|seen| self.bodies.get(&seen.entry.id, &seen.entry.version));
        let wanted: Vec<&String> = wanted.collect::<Result<_, _>>()?;
        if found == wanted {
            return Ok(());
        }
        Err(format!("objects/?{query}: holds {found:#?}, should {wanted:#?}"))
    }

    async fn manifest(&self, query: &str, limit: &str, wanted: &[&Seen]) -> Result<(), String> {
        let pages = self.pages("manifest/", query, limit).await?;
        let found: Vec<Listed> = pages.iter().flat_map(Page::listed).collect();
        let wanted: Vec<Listed> = wanted.iter().map(|seen| listed(seen)).collect();
        let dates = pages.iter().filter_map(|page| Some((page.last.clone()?, page.listed())));
        for (last, listed) in dates {
            if listed.last().is_some_and(|listed| listed.added != last) {
                return Err(format!("manifest/?{query}: the last is {last} of {listed:?}"));
            }
        }
        if found == wanted {
            return Ok(());
        }
        Err(format!("manifest/?{query}: holds {found:#?}, should {wanted:#?}"))
    }

    /// One object: its versions, and 404 where there is none.
    async fn one(&self, id: &str, present: &[&Seen]) -> Result<(), String> {
        let page = self.get(&format!("objects/{id}/versions/")).await;
        let wanted: Vec<String> = present
            .iter()
            .filter(|seen| seen.entry.id == id)
            .map(|seen| format!("\"{}\"", seen.entry.version))
            .collect();
        let status = if wanted.is_empty() { 404 } else { 200 };
        if page.status == status && page.items == wanted {
            return Ok(());
        }
        Err(format!("{page:?}: should be {status}, {wanted:?}"))
    }
}

fn listed(seen: &Seen) -> Listed {
    Listed {
        id: seen.entry.id.clone(),
        version: seen.entry.version.clone(),
        added: seen.entry.position.to_string(),
    }
}
