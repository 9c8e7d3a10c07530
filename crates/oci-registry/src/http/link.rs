//! The `Link` header of a listing: the next page (RFC 8288; distribution-spec 1.1, "Content Discovery").

use reqwest::header::{HeaderMap, LINK};

/// Returns the target of the first link whose relation is `next`.
pub(super) fn next(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

/// Returns the target of the first link in one header whose relation is `next`. An unreadable part ends the search.
fn next_of(header: &str) -> Option<String> {
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (is_next, after) = parameters(after);
        if is_next {
            return Some(target.trim().to_owned());
        }
        rest = after;
    }
}

/// Reads as many `;name=value` as there are. Returns whether one of them is `rel` with `next`, and the rest of the
/// header.
fn parameters(mut rest: &str) -> (bool, &str) {
    let mut is_next = false;
    loop {
        let Some(after) = rest.trim_start().strip_prefix(';') else { return (is_next, rest) };
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
            is_next |= value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
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
        for (header, expected) in [
            (r#"</v2/a/tags/list?last=b&n=1>; rel="next""#, Some("/v2/a/tags/list?last=b&n=1")),
            (r#"<x>; rel="prev", <y>; rel="next""#, Some("y")),
            (r#"<x>;title="a, <b>; rel=next";rel=prev,<y>;rel=next"#, Some("y")),
            ("<x>;rel=next", Some("x")),
            (r#"<x>; REL="last NEXT""#, Some("x")),
            ("<x> ; rel = next", Some("x")),
            ("<x>; flag; rel=next", Some("x")),
            ("<x>", None),
            (r#"<x>; rel="nextpage""#, None),
            ("x; rel=next", None),
            ("<x; rel=next", None),
            ("", None),
            (r#"<x>; rel="next"#, Some("x")),
        ] {
            assert_eq!(next_of(header).as_deref(), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_ends(header in "[<>;,=\" a-e\\PC]{0,60}") {
            let _ = next_of(&header);
        }

        #[test]
        fn targets_come_back(target in "[a-z0-9/?&=:%._-]{1,40}") {
            prop_assert_eq!(next_of(&format!("<{target}>; rel=\"next\"")), Some(target));
        }
    }
}
