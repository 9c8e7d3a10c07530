//! The tags of a repository over HTTP, page by page (distribution-spec 1.1, "Listing Tags").

use std::collections::HashSet;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::exchange::Request;
use super::repository::HttpRepository;
use super::retry::Retries;
use super::wait::ListingTime;
use super::{link, origin};
use crate::error::RegistryError;
use crate::error::text;
use crate::tag::Tag;

/// How many tags to ask for at a time.
const PAGE: usize = 1000;
/// The longest page, in bytes: a thousand tags have 131 KB, and some registries answer all at once.
const PAGE_LIMIT: u64 = 16 * 1024 * 1024;
/// The most tags of a repository.
const MOST_TAGS: usize = 1_000_000;
/// The most pages in a row that bring nothing new.
const IDLE_PAGES: usize = 10;

#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<Option<String>>>,
}

impl HttpRepository {
    /// Returns every tag, in the order of the registry's list.
    pub(super) async fn all_tags(&self) -> Result<Vec<Tag>, RegistryError> {
        let first = self.host.endpoint(&format!("v2/{}/tags/list?n={PAGE}", self.path)).await?;
        let (mut tags, mut seen) = (Vec::new(), HashSet::new());
        let mut visited = HashSet::from([first.clone()]);
        let (mut next, mut idle) = (Some(first.clone()), 0);
        let time = ListingTime::new(&self.host.timeouts);
        while let Some(url) = next.take() {
            let request = || text::request("GET", &url);
            let so_far = || format!("{} tags", seen.len());
            let Some(listed) = time.page(self.page(&url), request, so_far).await? else { break };
            let (before, last) = (seen.len(), listed.tags.last().cloned());
            let full = listed.tags.len() == PAGE;
            for name in listed.tags {
                let Ok(tag) = name.parse::<Tag>() else { continue };
                if seen.insert(name) {
                    tags.push(tag);
                }
            }
            idle = if seen.len() == before { idle + 1 } else { 0 };
            if seen.len() > MOST_TAGS || idle > IDLE_PAGES {
                return Err(endless(&listed.request));
            }
            next = listed.next;
            // A registry that cuts off after `n` tags and sends no Link can still be asked for the following ones
            // (`last`).
            if let (None, true, true, Some(last)) = (&next, full, seen.len() > before, last) {
                let mut after = first.clone();
                after.query_pairs_mut().append_pair("last", &last);
                next = Some(after);
            }
            if let Some(next) = &next
                && !visited.insert(next.clone())
            {
                return Err(endless(&listed.request));
            }
        }
        Ok(tags)
    }

    /// Returns one page; `None` if there is no such repository.
    async fn page(&self, url: &Url) -> Result<Option<TagsPage>, RegistryError> {
        let call = Request::new(Method::GET, url.clone(), &self.reading);
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.host.send(&call).await?;
            match answer.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    answer.discard().await;
                    return Ok(None);
                }
                _ => return Err(answer.into_error().await),
            }
            let next = match link::next(answer.headers()) {
                None => None,
                Some(target) => match origin::follow(url, &target) {
                    // No page is skipped, because a missing page would make a decision about a moving tag wrong.
                    Ok(next) if origin::same(url, &next) => Some(next),
                    Ok(_) => return Err(answer.protocol("the next page of its tags is on another host")),
                    Err(reason) => {
                        return Err(answer.protocol(format!("the next page of its tags is at {reason}")));
                    }
                },
            };
            let request = answer.request.clone();
            match answer.body(PAGE_LIMIT).await {
                Ok(body) => {
                    let page: TagList = serde_json::from_slice(&body).map_err(|error| {
                        let reason = format!("an invalid list of tags: {error}");
                        RegistryError::Protocol { request: request.clone(), reason }
                    })?;
                    let tags = page.tags.unwrap_or_default().into_iter().flatten().collect();
                    return Ok(Some(TagsPage { request, tags, next }));
                }
                Err(failure) => retries.again(failure).await?,
            }
        }
    }
}

struct TagsPage {
    request: String,
    tags: Vec<String>,
    next: Option<Url>,
}

fn endless(request: &str) -> RegistryError {
    RegistryError::Protocol {
        request: request.to_owned(),
        reason: "a list of tags without an end: its pages repeat, or bring nothing new".to_owned(),
    }
}
