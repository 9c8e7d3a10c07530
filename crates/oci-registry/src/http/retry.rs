//! Decides which requests are sent again, how often, and after which wait.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use crate::error::{ErrorEnvelope, OtherHost, RegistryError};
use crate::notice::{Notice, Notify};

/// How often and for how long a failed request is sent again. Waits start at `first_wait` and double, minus a random
/// part of up to half, and are never shorter than the registry asks for.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// The most attempts, the first included. 6.
    pub attempts: u32,
    /// The longest time from the first attempt to the last. For the bytes of blobs, and after an answer with status 429, only
    /// the waits between attempts are counted. 2 minutes.
    pub total: Duration,
    /// The longest time to look for a host that has not answered at all in this run: its name may be wrong, or it may be
    /// down, and nothing is lost yet. Limits the time to connect, too. 2 seconds.
    pub first_contact: Duration,
    /// The wait after the first failure. 250 milliseconds.
    pub first_wait: Duration,
    /// The longest wait, unless the registry asks for more. 30 seconds.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            total: Duration::from_secs(120),
            first_contact: Duration::from_secs(2),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct FailedAttempt {
    /// `METHOD url`, redacted.
    pub(super) request: String,
    /// The error of the attempt.
    pub(super) error: RegistryError,
    /// Whether the failure may be temporary.
    pub(super) passing: bool,
}

impl FailedAttempt {
    /// Returns the same failure, of another host than the registry's.
    pub(super) fn at(self, elsewhere: Option<OtherHost>) -> Self {
        Self { error: self.error.at(elsewhere), ..self }
    }

    /// Returns a failure that another attempt cannot fix.
    pub(super) fn lasting(error: RegistryError) -> Self {
        Self { request: String::new(), error, passing: false }
    }
}

/// Whether an answer with this status may change later.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The attempts at one request or at one blob, counted.
pub(super) struct Retries {
    policy: RetryPolicy,
    notify: Notify,
    started: Instant,
    waited: Duration,
    /// The attempts since the last progress.
    attempts: u32,
    /// The attempts before that.
    earlier: u32,
    /// How far the blob has come.
    farthest: u64,
    is_blob: bool,
    /// Whether the host has not been reached in this run.
    is_first_contact: bool,
}

impl Retries {
    /// Starts counting the attempts at a small request, the first of which starts now.
    pub(super) fn new(policy: &RetryPolicy, notify: &Notify) -> Self {
        Self {
            policy: policy.clone(),
            notify: notify.clone(),
            started: Instant::now(),
            waited: Duration::ZERO,
            attempts: 1,
            earlier: 0,
            farthest: 0,
            is_blob: false,
            is_first_contact: false,
        }
    }

    /// Starts counting the attempts to reach a host. If `is_first`, it was not reached in this run.
    pub(super) fn of_host(policy: &RetryPolicy, notify: &Notify, is_first: bool) -> Self {
        Self { is_first_contact: is_first, ..Self::new(policy, notify) }
    }

    /// Starts counting the attempts at sending or reading a blob. Its own duration is limited by its progress, not by
    /// the policy.
    pub(super) fn of_blob(policy: &RetryPolicy, notify: &Notify) -> Self {
        Self { is_blob: true, ..Self::new(policy, notify) }
    }

    /// Notes that the bytes before `position` have come through. If that is farther than before, the next failure may be
    /// followed by as many attempts as the first.
    pub(super) fn progressed(&mut self, position: u64) {
        if position <= self.farthest {
            return;
        }
        self.farthest = position;
        self.earlier += self.attempts - 1;
        (self.attempts, self.waited) = (1, Duration::ZERO);
    }

    /// Waits before the next attempt, or returns the error if there is none left.
    pub(super) async fn again(&mut self, failure: FailedAttempt) -> Result<(), RegistryError> {
        let FailedAttempt { request, error, passing } = failure;
        let asked = error.retry_after().unwrap_or_default();
        let wait = self.policy.wait_after(self.attempts).max(asked);
        // If a host refuses too many requests, each request also waits for the pace of the host. That time is not counted.
        let is_limited = error.refusal().is_some_and(|refusal| refusal.status == 429);
        let spent = if self.is_blob || is_limited { self.waited } else { self.started.elapsed() };
        let is_silent = matches!(error, RegistryError::Unreachable { .. });
        let total =
            if self.is_first_contact && is_silent { self.policy.first_contact } else { self.policy.total };
        if !passing || self.attempts >= self.policy.attempts || spent + wait > total.min(self.policy.total) {
            return Err(error.after(self.earlier + self.attempts));
        }
        let cause = error.to_string();
        let cause = cause.strip_prefix(&request).map_or(cause.as_str(), |rest| rest.trim_start_matches(": "));
        let cause = cause.to_owned();
        tracing::debug!(request, attempt = self.attempts, ?wait, cause, "retry");
        (self.notify)(Notice::Retry { request, attempt: self.attempts, wait, cause });
        tokio::time::sleep(wait).await;
        self.waited += wait;
        self.attempts += 1;
        Ok(())
    }
}

impl RetryPolicy {
    /// Returns the wait after attempt `attempt`, which is counted from 1: random within the bounds of the policy.
    pub fn wait_after(&self, attempt: u32) -> Duration {
        self.wait(attempt, rand::random())
    }

    /// Returns the wait after attempt `attempt` (from 1); `random` is from 0 to 1.
    fn wait(&self, attempt: u32, random: f64) -> Duration {
        let doubled =
            self.first_wait.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.longest_wait).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }
}

/// Returns how long a registry asks to wait: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or GHCR's
/// message `retry-after: 10.305464ms, allowed: 2000/minute`.
pub(super) fn asked_wait(headers: &HeaderMap, errors: &ErrorEnvelope) -> Option<Duration> {
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let now = jiff::Timestamp::now();
    header.and_then(|text| header_wait(text, now)).or_else(|| reset_wait(headers, now)).or_else(|| {
        let texts = errors.items().iter().flat_map(|item| [&item.message, &item.detail]);
        texts.map(String::as_str).find_map(message_wait)
    })
}

/// Returns how long a registry asks all clients to wait: because of too many requests, because it is busy (503), or because this answer
/// used up the limit.
pub(super) fn host_wait(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let is_about_host = matches!(status.as_u16(), 429 | 503);
    if is_about_host {
        asked_wait(headers, &ErrorEnvelope::default())
    } else {
        reset_wait(headers, jiff::Timestamp::now())
    }
}

fn header_wait(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Returns how long it takes until a used-up limit is reset, from a time in seconds since 1970: `x-ratelimit-reset` of
/// GitHub and Docker Hub (GitHub Docs, "Rate limits for the REST API"; Docker Docs, "Docker Hub API"), or
/// `ratelimit-reset` of GitLab (GitLab Docs, "User and IP rate limits"); and Docker Hub's `x-retry-after`.
fn reset_wait(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let reset = |prefix: &str| {
        let used_up = number(&format!("{prefix}-remaining"))? == 0;
        number(&format!("{prefix}-reset")).filter(|_| used_up)
    };
    let at = number("x-retry-after").or_else(|| reset("x-ratelimit")).or_else(|| reset("ratelimit"))?;
    let at = jiff::Timestamp::from_second(at).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

fn message_wait(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let (_, rest) = text.split_once("retry-after:")?;
    let rest = rest.trim_start();
    let (number, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let unit = rest.split(|c: char| !c.is_alphabetic()).next()?;
    let seconds = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::NetworkFailure;

    #[test]
    fn waits_double_and_are_bounded() {
        let policy = RetryPolicy::default();
        let millis = |attempt, random| policy.wait(attempt, random).as_millis();
        assert_eq!([1, 2, 3, 4, 5].map(|attempt| millis(attempt, 0.0)), [250, 500, 1000, 2000, 4000]);
        assert_eq!(millis(1, 1.0), 125);
        assert_eq!(millis(40, 0.0), 30_000);
        assert_eq!(millis(u32::MAX, 1.0), 15_000);
    }

    #[test]
    fn registries_ask_for_waits_in_three_ways() {
        let now: jiff::Timestamp = "1994-11-06T08:49:30Z".parse().expect("a time");
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(header_wait(text, now).map(|wait| wait.as_secs()), expected, "{text}");
        }
        for (text, expected) in [
            ("retry-after: 10.305464ms, allowed: 2000/minute", Some(Duration::from_nanos(10_305_464))),
            ("too many; Retry-After: 1.5s", Some(Duration::from_millis(1500))),
            ("retry-after: 250µs", Some(Duration::from_micros(250))),
            ("retry-after: 2m", Some(Duration::from_secs(120))),
            ("retry-after: x", None),
            ("retry-after: 3 bananas", None),
            ("retry-after: 1e400s", None),
            ("retry-after:", None),
            ("no", None),
        ] {
            assert_eq!(message_wait(text), expected, "{text}");
        }
    }

    #[test]
    fn a_used_up_limit_says_when_it_is_reset() {
        let now = jiff::Timestamp::from_second(1000).expect("a time");
        for (remaining, reset, expected) in [
            ("0", "1030", Some(30)),
            ("0", "900", Some(0)),
            ("5", "1030", None),
            ("0", "soon", None),
            ("0", "9223372036854775807", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-ratelimit-remaining", remaining.parse().expect("a header"));
            headers.insert("x-ratelimit-reset", reset.parse().expect("a header"));
            assert_eq!(reset_wait(&headers, now).map(|wait| wait.as_secs()), expected, "{remaining} {reset}");
        }
        assert_eq!(reset_wait(&HeaderMap::new(), now), None);
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.insert(*name, value.parse().expect("a header"));
                headers
            })
        };
        let gitlab = headers(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1012")]);
        assert_eq!(reset_wait(&gitlab, now).map(|wait| wait.as_secs()), Some(12));
        let hub = headers(&[("x-retry-after", "1007"), ("x-ratelimit-remaining", "0")]);
        assert_eq!(reset_wait(&hub, now).map(|wait| wait.as_secs()), Some(7));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(retry-after:)?[ -~]{0,30}") {
            let _ = message_wait(&text);
            let _ = header_wait(&text, jiff::Timestamp::UNIX_EPOCH);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_and_time_have_a_bound() {
        let notify: Notify = std::sync::Arc::new(|_| {});
        let failure = |passing| FailedAttempt {
            request: "GET x".to_owned(),
            error: RegistryError::Protocol { request: "GET x".to_owned(), reason: "no".to_owned() },
            passing,
        };
        let silence = || FailedAttempt {
            request: "GET x".to_owned(),
            error: RegistryError::Unreachable {
                request: "GET x".to_owned(),
                cause: "no".to_owned(),
                attempts: 1,
                failure: NetworkFailure::Name,
                elsewhere: None,
            },
            passing: true,
        };
        let policy = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        let mut retries = Retries::new(&policy, &notify);
        assert!(retries.again(failure(true)).await.is_ok());
        assert!(retries.again(failure(true)).await.is_ok());
        assert!(retries.again(failure(true)).await.is_err());
        assert!(Retries::new(&policy, &notify).again(failure(false)).await.is_err());
        let policy = RetryPolicy { total: Duration::from_millis(100), ..policy };
        assert!(Retries::new(&policy, &notify).again(failure(true)).await.is_err());

        // A host that was never reached is given up early, unless it answers.
        let policy = RetryPolicy { attempts: 6, ..RetryPolicy::default() };
        for (is_first, answers, expected) in
            [(true, false, 4..=5), (true, true, 6..=6), (false, false, 6..=6)]
        {
            let mut retries = Retries::of_host(&policy, &notify, is_first);
            let mut attempts = 1;
            while retries.again(if answers { failure(true) } else { silence() }).await.is_ok() {
                attempts += 1;
            }
            assert!(expected.contains(&attempts), "{is_first} {answers}: {attempts}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn progress_gives_new_attempts_and_all_of_them_are_counted() {
        let notify: Notify = std::sync::Arc::new(|_| {});
        let failure = || FailedAttempt {
            request: "PATCH x".to_owned(),
            error: RegistryError::Unreachable {
                request: "PATCH x".to_owned(),
                cause: "no".to_owned(),
                attempts: 1,
                failure: NetworkFailure::Connection,
                elsewhere: None,
            },
            passing: true,
        };
        let policy = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        let mut retries = Retries::of_blob(&policy, &notify);
        // The same bytes again are no progress.
        for position in [10, 20, 10, 20, 20] {
            assert!(retries.again(failure()).await.is_ok());
            retries.progressed(position);
            if position == 20 && retries.attempts > 1 {
                break;
            }
        }
        let mut error = None;
        while error.is_none() {
            error = retries.again(failure()).await.err();
        }
        assert!(error.expect("an error").to_string().ends_with("(after 5 attempts)"));
    }
}
