//! Deviations from the specification, as users of real registries report them.

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
