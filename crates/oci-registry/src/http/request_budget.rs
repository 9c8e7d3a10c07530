//! The number of requests that a registry says are left: `RateLimit-Remaining` and `RateLimit-Reset`, with `X-` as at GitHub and GitLab, and
//! `RateLimit: "name";r=LEFT;t=SECONDS` (draft-ietf-httpapi-ratelimit-headers).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::HeaderMap;

/// A number of seconds that is larger than this is a time of the clock, as at GitHub.
const CLOCK: u64 = 1_000_000_000;

/// The number of requests that are left until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestBudget {
    /// The number of requests.
    pub(super) left: u64,
    /// The time until there are new ones.
    pub(super) until: Duration,
}

impl RequestBudget {
    /// Returns the scarcest budget in the headers of an answer. One without an end is left out: Docker Hub counts its pulls so
    /// (`ratelimit-remaining: 99;w=21600`), and not requests.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let pair = |prefix: &str| {
            let left = number(text(headers, &format!("{prefix}ratelimit-remaining"))?)?;
            let reset = number(text(headers, &format!("{prefix}ratelimit-reset"))?)?;
            let seconds = if reset > CLOCK { reset.saturating_sub(now) } else { reset };
            Some(Self { left, until: Duration::from_secs(seconds) })
        };
        let listed = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
        let listed = listed.flat_map(|value| value.split(',')).filter_map(|item| {
            let parameter = |name: &str| {
                let mut parameters = item.split(';').filter_map(|it| it.trim().split_once('='));
                number(parameters.find(|(key, _)| *key == name)?.1)
            };
            Some(Self { left: parameter("r")?, until: Duration::from_secs(parameter("t")?) })
        });
        let all = [pair(""), pair("x-")].into_iter().flatten().chain(listed);
        all.min_by(|one, other| one.rate().total_cmp(&other.rate()))
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    fn rate(&self) -> f64 {
        self.left as f64 / self.until.as_secs_f64().max(1.0)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(headers: &[(&'static str, &str)]) -> Option<(u64, u64)> {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
        });
        RequestBudget::of(&headers.collect::<HeaderMap>()).map(|it| (it.left, it.until.as_secs()))
    }

    #[test]
    fn registries_say_how_many_requests_are_left() {
        for (headers, expected) in [
            (vec![("ratelimit-remaining", "12"), ("ratelimit-reset", "30")], Some((12, 30))),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], Some((0, 5))),
            (vec![("ratelimit", "\"default\";r=50;t=30")], Some((50, 30))),
            (vec![("ratelimit", "\"a\";r=50;t=30, \"b\";r=2;t=10")], Some((2, 10))),
            // Docker Hub's pulls.
            (vec![("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "99;w=21600")], None),
            (vec![("ratelimit-remaining", "many"), ("ratelimit-reset", "30")], None),
            (vec![("ratelimit-remaining", "12")], None),
            (vec![], None),
        ] {
            assert_eq!(of(&headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_end_may_be_a_time_of_the_clock() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let (_, until) =
            of(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", &(now + 40).to_string())])
                .expect("a budget");
        assert!((30..=40).contains(&until), "{until}");
        assert_eq!(of(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1000000001")]), Some((1, 0)));
    }
}
