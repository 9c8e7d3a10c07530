//! The tags of a repository over HTTP, page by page (distribution-spec 1.1, "Listing Tags").
//!
//! Registries cut lists without a word: no `Link`, a `Link` that cannot be read, a page that ends at the registry's own
//! limit (opencontainers/distribution-spec#107, #461, #470). The end of a list is believed if it shows: by a page that
//! is shorter than the others, or by an empty page after the last tag. Otherwise the list has a gap.

use std::collections::HashSet;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::exchange::Request;
use super::link::NextPage;
use super::repository::HttpRepository;
use super::retry::Retries;
use super::wait::ListingTime;
use super::{link, origin};
use crate::error::RegistryError;
use crate::tag::Tag;
use crate::tag_listing::{ListingGap, TagListing};

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
    /// `null` if there is none, as distribution answers for a repository without tags.
    #[serde(deserialize_with = "Option::deserialize")]
    tags: Option<Vec<Option<String>>>,
}

/// One page of a list.
struct TagsPage {
    request: String,
    tags: Vec<String>,
    next: NextPage,
}

/// The answer to the request for one page.
enum PageAnswer {
    Page(TagsPage),
    /// The registry has no such list, or refuses this request.
    Refused(RegistryError),
    /// The answer is not a list of tags.
    Unreadable {
        request: String,
        reason: String,
    },
}

/// The tags that were read so far.
#[derive(Default)]
struct ReadTags {
    tags: Vec<Tag>,
    seen: HashSet<String>,
    visited: HashSet<Url>,
    /// The length of the longest page that was followed by another one.
    longest: usize,
    idle: usize,
}

impl ReadTags {
    /// Adds the tags of a page. Returns how many of them are new.
    fn add(&mut self, names: &[String]) -> usize {
        let before = self.seen.len();
        for name in names {
            if self.seen.insert(name.clone())
                && let Ok(tag) = name.parse::<Tag>()
            {
                self.tags.push(tag);
            }
        }
        let new = self.seen.len() - before;
        self.idle = if new == 0 { self.idle + 1 } else { 0 };
        new
    }

    /// Whether the list is one that never ends.
    fn is_endless(&self) -> bool {
        self.seen.len() > MOST_TAGS || self.idle > IDLE_PAGES
    }

    /// Whether a page of `length` tags without a link to another may be cut off: it is as long as the request or the
    /// pages before it allow, or the first page has a length that registries choose as a limit.
    fn may_be_cut(&self, length: usize) -> bool {
        if length == 0 || length >= PAGE {
            return length >= PAGE;
        }
        if self.longest > 0 {
            return length >= self.longest;
        }
        let is_power_of_two = length.is_power_of_two() && length >= 16;
        length.is_multiple_of(25) || is_power_of_two || matches!(length, 10 | 20 | 30 | 40)
    }

    fn into_listing(self, gap: Option<ListingGap>) -> TagListing {
        TagListing::new(self.tags, gap)
    }
}

impl HttpRepository {
    /// Returns the tags, in the order of the registry's list, and the reason why some may be missing.
    pub(super) async fn all_tags(&self) -> Result<TagListing, RegistryError> {
        let plain = self.host.endpoint(&format!("v2/{}/tags/list", self.path)).await?;
        let mut first = plain.clone();
        first.query_pairs_mut().append_pair("n", &PAGE.to_string());
        let time = ListingTime::new(&self.host.timeouts);
        let mut read = ReadTags { visited: HashSet::from([first.clone()]), ..ReadTags::default() };
        let (mut url, mut limited) = (first, true);
        let gap = loop {
            let page = match self.page_in_time(&time, &read, &url).await? {
                PageAnswer::Page(page) => page,
                // Some registries have a limit of their own for `n`, and refuse more (distribution 3.0:
                // PAGINATION_NUMBER_INVALID).
                PageAnswer::Refused(RegistryError::Rejected(_)) if limited && read.seen.is_empty() => {
                    (url, limited) = (plain.clone(), false);
                    continue;
                }
                PageAnswer::Refused(error @ RegistryError::NotFound(_)) if read.seen.is_empty() => {
                    break Some(ListingGap::NotFound(Box::new(error)));
                }
                PageAnswer::Refused(error) => break Some(ListingGap::Refused(Box::new(error))),
                // The first answer shows whether this is a registry at all.
                PageAnswer::Unreadable { request, reason } if read.seen.is_empty() => {
                    return Err(RegistryError::Protocol { request, reason });
                }
                PageAnswer::Unreadable { request, reason } => {
                    break Some(ListingGap::Cut { request, reason });
                }
            };
            let new = read.add(&page.tags);
            if read.is_endless() {
                break Some(endless(&page.request));
            }
            let next = match &page.next {
                NextPage::At(target) => Self::next_page(&url, target),
                NextPage::Unclear(Some(target)) => Self::next_page(&url, target).filter(|_| new > 0),
                NextPage::Unclear(None) | NextPage::None => None,
            };
            match (next, &page.next) {
                (Some(next), _) if read.visited.insert(next.clone()) => {
                    read.longest = read.longest.max(page.tags.len());
                    url = next;
                }
                (Some(_), NextPage::At(_)) => break Some(endless(&page.request)),
                // A link that leads nowhere says that there is more.
                (_, NextPage::At(_) | NextPage::Unclear(_)) => {
                    break self.follow_up(&time, &mut read, &plain, &page).await?;
                }
                (_, NextPage::None) if read.may_be_cut(page.tags.len()) => {
                    break self.follow_up(&time, &mut read, &plain, &page).await?;
                }
                (_, NextPage::None) => break None,
            }
        };
        Ok(read.into_listing(gap))
    }

    /// Asks for the tags after the last one of `page` until an empty page shows the end. Returns the reason why the end
    /// does not show.
    async fn follow_up(
        &self,
        time: &ListingTime,
        read: &mut ReadTags,
        plain: &Url,
        page: &TagsPage,
    ) -> Result<Option<ListingGap>, RegistryError> {
        let total = |read: &ReadTags| {
            format!("it ends after {} tags and does not show whether that is all", read.seen.len())
        };
        let mut request = page.request.clone();
        // Registries that list the newest first may still count `last` by name.
        let greatest = |read: &ReadTags| read.seen.iter().max().cloned();
        let mut after = page.tags.last().cloned();
        let mut by_name = false;
        while let Some(last) = after.take() {
            let mut url = plain.clone();
            url.query_pairs_mut().append_pair("last", &last);
            let following = match self.page_in_time(time, read, &url).await? {
                PageAnswer::Page(following) => following,
                PageAnswer::Refused(error) => return Ok(Some(ListingGap::Refused(Box::new(error)))),
                PageAnswer::Unreadable { request, reason } => {
                    return Ok(Some(ListingGap::Cut { request, reason }));
                }
            };
            if following.tags.is_empty() {
                return Ok(None);
            }
            request.clone_from(&following.request);
            let new = read.add(&following.tags);
            if read.is_endless() {
                return Ok(Some(endless(&request)));
            }
            after = match new {
                0 if by_name => None,
                0 => {
                    by_name = true;
                    greatest(read).filter(|greatest| *greatest != last)
                }
                _ if by_name => greatest(read),
                _ => following.tags.last().cloned(),
            };
        }
        Ok(Some(ListingGap::Cut { request, reason: total(read) }))
    }

    /// Returns the address of the next page. If the registry names itself by another address, as it does behind many
    /// proxies, the list is asked for where its first page was: credentials go nowhere else.
    fn next_page(from: &Url, target: &str) -> Option<Url> {
        let next = origin::follow(from, target)
            .or_else(|_| from.join(target).map_err(|error| error.to_string()))
            .ok()?;
        if origin::same(from, &next) {
            return Some(next);
        }
        let mut here = from.clone();
        here.set_query(Some(next.query()?));
        Some(here)
    }

    async fn page_in_time(
        &self,
        time: &ListingTime,
        read: &ReadTags,
        url: &Url,
    ) -> Result<PageAnswer, RegistryError> {
        let request = || self.host.described("GET", url);
        time.page(self.page(url), request, || format!("{} tags", read.seen.len())).await
    }

    /// Returns one page.
    async fn page(&self, url: &Url) -> Result<PageAnswer, RegistryError> {
        let call = Request::new(Method::GET, url.clone(), &self.reading);
        let mut retries = Retries::new(&self.host.policy, &self.host.notify);
        loop {
            let answer = self.host.send(&call).await?;
            if answer.status() != StatusCode::OK {
                let unsupported = answer.status() == StatusCode::NOT_IMPLEMENTED;
                return match answer.into_error().await {
                    error @ (RegistryError::NotFound(_)
                    | RegistryError::Denied(_)
                    | RegistryError::Rejected(_)) => Ok(PageAnswer::Refused(error)),
                    error if unsupported => Ok(PageAnswer::Refused(error)),
                    error => Err(error),
                };
            }
            let (request, next) = (answer.request.clone(), link::next(answer.headers()));
            let redaction = answer.redaction.clone();
            match answer.body(PAGE_LIMIT).await {
                Ok(body) => {
                    return Ok(match serde_json::from_slice::<TagList>(&body) {
                        Ok(list) => {
                            let mut tags: Vec<String> =
                                list.tags.unwrap_or_default().into_iter().flatten().collect();
                            // A name that repeats credentials would be shown.
                            tags.retain(|tag| redaction.redact(tag) == *tag);
                            PageAnswer::Page(TagsPage { request, tags, next })
                        }
                        Err(error) => PageAnswer::Unreadable {
                            request,
                            reason: format!("an invalid list of tags: {error}"),
                        },
                    });
                }
                Err(failure) => retries.again(failure).await?,
            }
        }
    }
}

fn endless(request: &str) -> ListingGap {
    ListingGap::Cut {
        request: request.to_owned(),
        reason: "a list of tags without an end: its pages repeat, or bring nothing new".to_owned(),
    }
}
