//! The referrers of a manifest, from the registry's own list, page by page (distribution-spec 1.1, "Listing
//! Referrers").

use std::collections::HashSet;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::exchange::Request;
use super::link::NextPage;
use super::repository::HttpRepository;
use super::retry::Retries;
use super::wait::ListingTime;
use super::{link, origin};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::error::text;
use crate::media_type;

/// The longest page, in bytes: an index, and so a manifest, which a registry builds from the annotations of many
/// manifests.
const PAGE_LIMIT: u64 = 16 * 1024 * 1024;
/// The most referrers of one manifest.
const MOST_REFERRERS: usize = 10_000;
/// The most pages in a row that bring nothing new.
const IDLE_PAGES: usize = 10;

#[derive(Deserialize)]
struct ReferrerList {
    manifests: Option<Vec<Descriptor>>,
}

/// The content of one page.
struct ReferrersPage {
    request: String,
    referrers: Vec<Descriptor>,
    next: Option<Url>,
}

impl HttpRepository {
    /// Returns the referrers of `subject`, in the registry's order; `None` if the registry keeps no list.
    pub(super) async fn all_referrers(
        &self,
        subject: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        let first = self.host.endpoint(&format!("v2/{}/referrers/{subject}", self.path)).await?;
        let (mut referrers, mut seen) = (Vec::new(), HashSet::new());
        let mut visited = HashSet::from([first.clone()]);
        let (mut next, mut idle) = (Some(first.clone()), 0);
        let time = ListingTime::new(&self.host.timeouts);
        while let Some(url) = next.take() {
            let request = || text::request("GET", &url);
            let so_far = || format!("{} referrers", seen.len());
            let Some(listed) = time.page(self.referrers_page(&url), request, so_far).await? else {
                if url == first {
                    return Ok(None);
                }
                let reason = "the next page of a list of referrers is not there".to_owned();
                return Err(RegistryError::Protocol { request: request(), reason });
            };
            let before = seen.len();
            for referrer in listed.referrers {
                if seen.insert(referrer.digest.clone()) {
                    referrers.push(referrer);
                }
            }
            idle = if seen.len() == before { idle + 1 } else { 0 };
            next = listed.next;
            let again = next.as_ref().is_some_and(|next| !visited.insert(next.clone()));
            if again || seen.len() > MOST_REFERRERS || idle > IDLE_PAGES {
                let reason = format!(
                    "a list of referrers without an end: its pages repeat, bring nothing new, or hold more than {MOST_REFERRERS}"
                );
                return Err(RegistryError::Protocol { request: listed.request, reason });
            }
        }
        Ok(Some(referrers))
    }

    /// Returns one page; `None` if the answer is not a list of referrers.
    async fn referrers_page(&self, url: &Url) -> Result<Option<ReferrersPage>, RegistryError> {
        let mut call = Request::new(Method::GET, url.clone(), &self.reading);
        call.headers.insert(ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.host.send(&call).await?;
            match answer.status() {
                StatusCode::OK => {}
                // 404 is the specified answer if there is no such list. Registries that mistake the path for another
                // one send one of the other statuses (go-containerregistry, `pkg/v1/remote/referrers.go`).
                StatusCode::NOT_FOUND
                | StatusCode::BAD_REQUEST
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::NOT_ACCEPTABLE
                | StatusCode::NOT_IMPLEMENTED => {
                    answer.discard().await;
                    return Ok(None);
                }
                _ => return Err(answer.into_error().await),
            }
            let typed = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let typed = typed.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
            if typed != media_type::OCI_INDEX {
                // This is a page for people, from a server that answers 200 to any request.
                answer.discard().await;
                return Ok(None);
            }
            let next = match link::next(answer.headers()) {
                NextPage::None => None,
                NextPage::Unclear(_) => {
                    return Err(
                        answer.protocol("a link to the next page of its referrers that cannot be read")
                    );
                }
                NextPage::At(target) => match origin::follow(url, &target) {
                    Ok(next) if origin::same(url, &next) => Some(next),
                    Ok(_) => return Err(answer.protocol("the next page of its referrers is on another host")),
                    Err(reason) => {
                        return Err(answer.protocol(format!("the next page of its referrers is at {reason}")));
                    }
                },
            };
            let request = answer.request.clone();
            match answer.body(PAGE_LIMIT).await {
                Ok(body) => {
                    let page: ReferrerList = serde_json::from_slice(&body).map_err(|error| {
                        let reason = format!("an invalid list of referrers: {error}");
                        RegistryError::Protocol { request: request.clone(), reason }
                    })?;
                    let referrers = page.manifests.unwrap_or_default();
                    return Ok(Some(ReferrersPage { request, referrers, next }));
                }
                Err(failure) => retries.again(failure).await?,
            }
        }
    }
}
