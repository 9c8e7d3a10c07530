//! Tests of the program against other programs: docker-registry, skopeo, podman, buildah, umoci, Docker Engine, Helm, pre-commit.
//! `scripts/test.sh` installs them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails a test")]

mod action;
mod air_gap;
mod annotations;
mod artifacts_real;
mod auth_check;
mod branches;
mod builders_real;
mod chart_images;
mod charts;
mod completion_shells;
mod credentials_real;
mod docker_archive_real;
mod docker_daemon_real;
mod guides;
mod helm;
mod helm_images;
mod index_real;
mod installed;
mod linters;
mod login_real;
mod precommit;
mod promotion;
mod prune;
mod publish;
mod publish_faults;
mod publish_places;
mod publish_refused;
mod push_by_digest;
mod races;
mod referrers_real;
mod registry_delete_real;
mod registry_real;
mod rollback;
mod secrets;
mod signing;
mod source_real;
mod source_refused;
mod stale;
mod tag_and_push_real;
mod verify;

#[path = "../support/silent_reporter.rs"]
mod silent_reporter;
#[path = "../support/small_image.rs"]
mod small_image;
