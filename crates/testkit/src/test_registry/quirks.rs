//! Deviations from the specification, as users of real registries report them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The deviations of a registry. The default has none.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// The status of the answer to HEAD for a manifest that exists.
    pub head: Option<u16>,
    /// The status of the answer for a manifest that does not exist.
    pub missing: Option<u16>,
    /// The status of the answer to a request for the list of tags.
    pub list: Option<u16>,
    /// The largest `n` of a request for tags; a larger one is 400, `PAGINATION_NUMBER_INVALID`.
    pub most_asked: Option<usize>,
    /// The form of the link to the next page of tags.
    pub link: LinkForm,
    /// Whether `last` has no effect, so that only a link leads to the next page.
    pub ignores_last: bool,
    /// Whether each page lists its tags in descending order.
    pub descending: bool,
    /// Tags that are listed, but have no manifest.
    pub dangling: Vec<&'static str>,
    /// Tags that exist, but are not listed.
    pub hidden: Vec<&'static str>,
    /// How a manifest is put with several tags in one request.
    pub tags_together: TagsTogether,
    /// The most requests in any second; another one is 429 with `Retry-After: 1`.
    pub most_in_a_second: Option<usize>,
}

/// How a registry handles `PUT manifests/DIGEST?tag=a&tag=b` (distribution-spec, end-7b).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagsTogether {
    /// It ignores the tags, and puts the manifest by digest.
    #[default]
    Ignored,
    /// It puts every tag, and repeats each in `OCI-Tag`.
    Repeated,
    /// It puts and repeats the first so many tags.
    First(usize),
    /// It repeats every tag, but puts none.
    Claimed,
    /// It puts every tag, but repeats none.
    Silent,
    /// 400.
    Refused,
}

impl TagsTogether {
    /// Returns how many tags it puts, and how many it repeats; `None` if it refuses the request.
    pub(super) fn counts(self) -> Option<(usize, usize)> {
        match self {
            Self::Ignored => Some((0, 0)),
            Self::Repeated => Some((usize::MAX, usize::MAX)),
            Self::First(count) => Some((count, count)),
            Self::Claimed => Some((0, usize::MAX)),
            Self::Silent => Some((usize::MAX, 0)),
            Self::Refused => None,
        }
    }
}

/// The requests of the last second.
#[derive(Debug, Default)]
pub(super) struct RequestRate {
    taken: VecDeque<Instant>,
    /// The number of requests that were refused.
    pub(super) refused: usize,
}

impl RequestRate {
    /// Whether another request is taken, with at most `most` in any second.
    pub(super) fn takes(&mut self, most: usize) -> bool {
        let now = Instant::now();
        while self.taken.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            self.taken.pop_front();
        }
        let takes = self.taken.len() < most;
        if takes {
            self.taken.push_back(now);
        } else {
            self.refused += 1;
        }
        takes
    }
}

/// The form of a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkForm {
    /// `</v2/…>; rel="next"`, as the specification says.
    #[default]
    Whole,
    /// The target without `<` and `>`.
    NoBrackets,
    /// The target without `rel`.
    NoRelation,
    /// The target on a host that is known only behind a proxy.
    OtherHost,
    /// No link at all.
    None,
}

impl LinkForm {
    /// Returns the header for a next page at `target`, which begins with a slash.
    pub(super) fn header(self, target: &str) -> Option<String> {
        match self {
            Self::Whole => Some(format!("<{target}>; rel=\"next\"")),
            Self::NoBrackets => Some(format!("{target}; rel=\"next\"")),
            Self::NoRelation => Some(format!("<{target}>")),
            Self::OtherHost => Some(format!("<http://registry.internal:5000{target}>; rel=\"next\"")),
            Self::None => None,
        }
    }
}
