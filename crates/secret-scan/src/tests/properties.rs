//! Properties that hold for any bytes, in pieces of any size.

use proptest::prelude::*;

use super::cases::{self, found};
use super::made::Maker;
use crate::rule::Detection;
use crate::{Match, Rules};

fn in_pieces(path: Option<&str>, bytes: &[u8], sizes: &[usize]) -> Vec<Match> {
    let mut search = Rules::standard().text_search(path);
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        search.push(piece);
        rest = later;
    }
    search.finish()
}

/// Returns some of all cases, between stretches of filler.
fn planted() -> impl Strategy<Value = Vec<u8>> {
    let filling = prop_oneof![Just(""), Just("lorem ipsum dolor\n"), Just("0"), Just("\n"), Just("aB3_")];
    proptest::collection::vec((any::<prop::sample::Index>(), filling, 0_usize..700), 1..30).prop_map(
        |parts| {
            let cases = cases::all();
            let mut bytes = Vec::new();
            for (which, filling, count) in parts {
                bytes.extend_from_slice(which.get(&cases).text.as_bytes());
                bytes.extend_from_slice(filling.repeat(count).as_bytes());
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pieces_of_any_size_find_what_one_piece_does(
        bytes in planted(),
        binary in any::<bool>(),
        sizes in proptest::collection::vec(prop_oneof![1_usize..40, 1_usize..5000, 2000_usize..40_000], 1..8),
    ) {
        let bytes = [if binary { &b"\0"[..] } else { b"" }, &bytes].concat();
        for path in [None, Some("app/.env"), Some("app/config")] {
            let whole = found(path, &bytes);
            prop_assert_eq!(&in_pieces(path, &bytes, &sizes), &whole);
        }
    }

    #[test]
    fn any_bytes_are_searched_and_nothing_high_is_found_in_noise(
        bytes in proptest::collection::vec(any::<u8>(), 0..20_000),
        name in ".{0,30}",
        value in ".{0,60}",
        path in "[a-z./]{0,20}(\\.env|\\.netrc|\\.npmrc|\\.pgpass|id_rsa)?",
    ) {
        for found in found(Some(&path), &bytes) {
            prop_assert!(found.severity < crate::SecretSeverity::High || path.starts_with('.') || path.contains("/."));
        }
        let _ = Rules::standard().search_variable(&name, &value);
        let _ = Rules::standard().search_file_name(&path);
    }
}

#[test]
fn a_case_is_found_once_at_every_place_around_a_border_of_pieces() {
    let token = Maker::new(11).with_crc("ghp_");
    for before in (8_800..9_300).step_by(7).chain([0, 1, 255, 256, 2048, 2303, 2304, 2305, 16_383]) {
        let text = format!("{}{token}{}", " ".repeat(before), " ".repeat(20_000));
        for size in [1024, 2304, 2305, 9216, 10_000] {
            let found = in_pieces(Some("a"), text.as_bytes(), &[size]);
            assert_eq!(found.len(), 1, "{before} bytes before, in pieces of {size}");
            assert_eq!(found[0].line, Some(1));
        }
    }
}

#[test]
fn a_file_of_nothing_but_keywords_takes_bounded_time_and_memory() {
    for rule in Rules::standard().all() {
        let Detection::Keyword(near) = rule.detection else { continue };
        for (keyword, gap) in near.keywords.iter().flat_map(|it| ["", " ", "a:b@"].map(|gap| (it, gap))) {
            let text = format!("{keyword}{gap}").repeat(20_000 / keyword.len());
            assert!(found(Some("a"), text.as_bytes()).len() <= 20 * Rules::standard().all().len());
        }
    }
    let many: String = (0..1000).map(|seed| Maker::new(seed).with_crc("ghp_") + "\n").collect();
    assert_eq!(found(Some("a"), many.as_bytes()).len(), 20);
}

#[test]
fn the_identity_is_that_of_the_rules() {
    assert_eq!(Rules::standard().identity(), Rules::standard().identity());
    assert_eq!(Rules::standard().identity().algorithm(), "sha256");
}
