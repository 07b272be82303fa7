//! What was measured, as a table and as JSON.

use std::fmt;

use serde::Serialize;

use crate::{access, export, feeds, ingest, memory, pages, requests};

/// One run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How it was measured.
    pub about: Vec<String>,
    /// Part a.
    pub pages: Vec<pages::Row>,
    /// Part b.
    pub requests: Vec<requests::Row>,
    /// Part e.
    pub access: Vec<access::Row>,
    /// Part f.
    pub export: Vec<export::Row>,
    /// Part c.
    pub ingest: Option<ingest::Row>,
    /// Part d.
    pub memory: Vec<memory::Row>,
    /// Part e.
    pub feeds: Vec<feeds::Row>,
}

impl Report {
    /// Every ratio, for a test to look at.
    pub fn ratios(&self) -> Vec<f64> {
        let pages = self.pages.iter().flat_map(|row| [row.handler_ratio, row.http_ratio]);
        let requests = self.requests.iter().map(|row| row.ratio);
        let requests = requests.chain(self.export.iter().map(|row| row.ratio));
        pages.chain(requests).chain(self.ingest.as_ref().map(|row| row.ratio)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.about {
            writeln!(f, "{line}")?;
        }
        self.fmt_pages(f)?;
        self.fmt_requests(f)?;
        self.fmt_access(f)?;
        self.fmt_export(f)?;
        self.fmt_ingest(f)?;
        self.fmt_memory(f)?;
        self.fmt_feeds(f)
    }
}

impl Report {
    fn fmt_pages(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pages.is_empty() {
            writeln!(
                f,
                "\na. Pages: the TAXII function beside the bare SDK Query of the same commits (aim: below 2)\n"
            )?;
            writeln!(
                f,
                "| objects | page | from | Query ms | + decoded ms | hint ms | function ms | HTTP ms | function / Query | HTTP / Query | units: Query | page |"
            )?;
            writeln!(f, "|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        }
        for row in &self.pages {
            let pages::Row { collection, limit, place, query_ms, commits_ms, handler_ms, .. } = row;
            let pages::Row { http_ms, handler_ratio, http_ratio, floor_units, units, .. } = row;
            let hint = row.hint_ms.map_or_else(String::new, |hint| format!("{hint:.2}"));
            writeln!(
                f,
                "| {collection} | {limit} | {place} | {query_ms:.2} | {commits_ms:.2} | {hint} | {handler_ms:.2} | {http_ms:.2} | **{handler_ratio:.2}** | {http_ratio:.2} | {floor_units:.1} | {units:.1} |"
            )?;
        }
        Ok(())
    }

    fn fmt_requests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.requests.is_empty() {
            writeln!(
                f,
                "\nb. Pages of 100 a second over HTTP, {} connections (aim: above 1500, the same everywhere)\n",
                requests::CONNECTIONS
            )?;
            writeln!(f, "| objects | from | pages/s | bare Queries/s | Queries / pages |")?;
            writeln!(f, "|---:|---|---:|---:|---:|")?;
        }
        for row in &self.requests {
            let requests::Row { collection, place, requests_per_second, .. } = row;
            let requests::Row { queries_per_second, ratio, .. } = row;
            writeln!(
                f,
                "| {collection} | {place} | {requests_per_second:.0} | {queries_per_second:.0} | **{ratio:.2}** |"
            )?;
        }
        Ok(())
    }

    fn fmt_access(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.access.is_empty() {
            writeln!(
                f,
                "\ne. Access: a page of 100 through the TAXII function, by who asks\n\n| caller | median ms | mean ms | share of the mean | read units | write units |"
            )?;
            writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        }
        for row in &self.access {
            let access::Row { caller, median_ms, mean_ms, share, read_units, write_units } = row;
            writeln!(
                f,
                "| {caller} | {median_ms:.2} | {mean_ms:.2} | {:.1} % | {read_units:.3} | {write_units:.3} |",
                share * 100.0
            )?;
        }
        Ok(())
    }

    fn fmt_export(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.export.is_empty() {
            writeln!(
                f,
                "\nf. Export of 1,000 indicators, the whole function beside the bare Query of the same commits\n\n| base | options | indicators | bytes | Query ms | export ms | export / Query | units: Query | export | peak grew by MiB |"
            )?;
            writeln!(f, "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        }
        for row in &self.export {
            let export::Row { base, options, indicators, bytes, query_ms, export_ms, .. } = row;
            let export::Row { ratio, floor_units, units, peak_growth_mib, .. } = row;
            writeln!(
                f,
                "| {base} | {options} | {indicators} | {bytes} | {query_ms:.2} | {export_ms:.2} | **{ratio:.2}** | {floor_units:.1} | {units:.1} | {peak_growth_mib:.1} |"
            )?;
        }
        Ok(())
    }

    fn fmt_ingest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = &self.ingest {
            writeln!(
                f,
                "\nc. Ingest to visible, kept database, {} rounds of {} objects (aim: above 3000 objects/s)\n",
                row.rounds, row.objects
            )?;
            writeln!(
                f,
                "| objects/s visible | answered | bare PutItem/s | with stream | PutItem / visible | write units an object |"
            )?;
            writeln!(f, "|---:|---:|---:|---:|---:|---:|")?;
            let ingest::Row { visible_per_second, answered_per_second, puts_per_second, .. } = row;
            let ingest::Row { streamed_puts_per_second, ratio, write_units, .. } = row;
            writeln!(
                f,
                "| {visible_per_second:.0} | {answered_per_second:.0} | {puts_per_second:.0} | {streamed_puts_per_second:.0} | **{ratio:.2}** | {write_units:.2} |"
            )?;
        }
        Ok(())
    }

    fn fmt_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.memory.first() {
            writeln!(
                f,
                "\nd. Peak memory for a bundle of {:.0} MB, {} objects (aim: below 100 MB above idle)\n",
                row.bundle_mb, row.objects
            )?;
            writeln!(
                f,
                "| what | idle MiB | peak MiB | above idle MiB | of it not files | until visible s |"
            )?;
            writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        }
        for row in &self.memory {
            let memory::Row { what, idle_mib, peak_mib, above_idle_mib, .. } = row;
            let memory::Row { anonymous_above_idle_mib, seconds, .. } = row;
            writeln!(
                f,
                "| {what} | {idle_mib:.0} | {peak_mib:.0} | **{above_idle_mib:.0}** | {anonymous_above_idle_mib:.0} | {seconds:.1} |"
            )?;
        }
        Ok(())
    }

    fn fmt_feeds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.feeds.is_empty() {
            writeln!(
                f,
                "\ng. A feed published in all its forms by `iocast publish` (bar: below 300 MB)\n"
            )?;
            writeln!(f, "| run | rows | s | peak MiB | CSV MB | all files MB |")?;
            writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        }
        for row in &self.feeds {
            let feeds::Row { what, rows, seconds, peak_mib, files_mb, csv_mb } = row;
            writeln!(
                f,
                "| {what} | {rows} | {seconds:.1} | **{peak_mib:.0}** | {csv_mb:.1} | {files_mb:.1} |"
            )?;
        }
        Ok(())
    }
}
