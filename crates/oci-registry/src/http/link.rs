//! The `Link` header of a listing: the next page (RFC 8288; distribution-spec 1.1, "Content Discovery").

use reqwest::header::{HeaderMap, LINK};

/// The next page of a listing, as the `Link` headers of a page name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextPage {
    /// There is no link to a next page.
    None,
    /// It is at this address, which may be relative.
    At(String),
    /// A link cannot be read as the specification says: it has no brackets (Quay, heroku/docker-registry-client#11) or
    /// no relation. It probably leads to this address, if it names any.
    Unclear(Option<String>),
}

/// Returns the next page that `headers` name. A link that cannot be read counts only if no other names the next page.
pub(super) fn next(headers: &HeaderMap) -> NextPage {
    let links =
        headers.get_all(LINK).iter().map(|value| value.to_str().map_or(NextPage::Unclear(None), next_of));
    links.reduce(better).unwrap_or(NextPage::None)
}

/// Returns the one of two findings that says more.
fn better(one: NextPage, other: NextPage) -> NextPage {
    match (&one, &other) {
        (NextPage::At(_), _) | (_, NextPage::None) | (NextPage::Unclear(_), NextPage::Unclear(_)) => one,
        _ => other,
    }
}

/// Returns the next page that one header names.
fn next_of(header: &str) -> NextPage {
    let (mut rest, mut found) = (header, NextPage::None);
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let Some((target, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
            // Without brackets, a target ends at the first parameter.
            let target =
                rest.trim_start_matches('<').split([';', ',', '>']).next().unwrap_or_default().trim();
            let target = Some(target.to_owned()).filter(|target| target.contains(['/', '?']));
            return better(found, NextPage::Unclear(target));
        };
        let (relation, after) = parameters(after);
        found = better(
            found,
            match relation {
                Relation::Next => NextPage::At(target.trim().to_owned()),
                Relation::Other => NextPage::None,
                Relation::Missing => NextPage::Unclear(Some(target.trim().to_owned())),
            },
        );
        rest = after;
    }
}

/// The relation of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// `next`, perhaps among others.
    Next,
    /// Any other.
    Other,
    /// The link names none.
    Missing,
}

/// Reads as many `;name=value` as there are. Returns the relation that they name, and the rest of the header.
fn parameters(mut rest: &str) -> (Relation, &str) {
    let mut relation = Relation::Missing;
    loop {
        let Some(after) = rest.trim_start().strip_prefix(';') else { return (relation, rest) };
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let Some(after) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find([';', ',']).unwrap_or(after.len())),
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            let is_next =
                value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
            let next = is_next || relation == Relation::Next;
            relation = if next { Relation::Next } else { Relation::Other };
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let at = |target: &str| NextPage::At(target.to_owned());
        let unclear = |target: &str| NextPage::Unclear(Some(target.to_owned()));
        for (header, expected) in [
            (r#"</v2/a/tags/list?last=b&n=1>; rel="next""#, at("/v2/a/tags/list?last=b&n=1")),
            (r#"<x>; rel="prev", <y>; rel="next""#, at("y")),
            (r#"<x>;title="a, <b>; rel=next";rel=prev,<y>;rel=next"#, at("y")),
            ("<x>;rel=next", at("x")),
            (r#"<x>; REL="last NEXT""#, at("x")),
            ("<x> ; rel = next", at("x")),
            ("<x>; flag; rel=next", at("x")),
            (r#"<x>; rel="next"#, at("x")),
            ("<x>, <y>; rel=next", at("y")),
            (r#"<x>; rel="nextpage""#, NextPage::None),
            (r#"<x>; rel="help", <y>; rel=prev"#, NextPage::None),
            ("", NextPage::None),
            ("<x>", unclear("x")),
            ("<x>; flag", unclear("x")),
            ("/v2/a?last=b; rel=next", unclear("/v2/a?last=b")),
            ("</v2/a; rel=next", unclear("/v2/a")),
            ("next", NextPage::Unclear(None)),
        ] {
            assert_eq!(next_of(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_ends(header in "[<>;,=\" a-e\\PC]{0,60}") {
            let _ = next_of(&header);
        }

        #[test]
        fn targets_come_back(target in "[a-z0-9/?&=:%._-]{1,40}") {
            prop_assert_eq!(next_of(&format!("<{target}>; rel=\"next\"")), NextPage::At(target));
        }
    }
}
