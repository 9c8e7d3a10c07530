//! Tests of CIs as a service.

use super::table;

#[test]
fn buildkite() {
    table(
        "Buildkite",
        "CI=true BUILDKITE=true BUILDKITE_COMMIT=aa BUILDKITE_TAG= BUILDKITE_REPO=git@github.com:o/n.git",
        &[
            ("BUILDKITE_BRANCH=main BUILDKITE_PULL_REQUEST=false", "branch refs/heads/main aa"),
            (
                "BUILDKITE_BRANCH=main BUILDKITE_COMMIT=HEAD BUILDKITE_SOURCE=ui",
                "manual refs/heads/main - by=manual",
            ),
            ("BUILDKITE_BRANCH=v1 BUILDKITE_TAG=v1 BUILDKITE_PULL_REQUEST=false", "tag refs/tags/v1 aa"),
            ("BUILDKITE_BRANCH=v1 BUILDKITE_TAG=v1 BUILDKITE_SOURCE=api", "tag refs/tags/v1 aa by=manual"),
            ("BUILDKITE_BRANCH=main BUILDKITE_SOURCE=schedule", "schedule refs/heads/main aa by=schedule"),
            (
                "BUILDKITE_BRANCH=main BUILDKITE_SOURCE=trigger_job BUILDKITE_PIPELINE_DEFAULT_BRANCH=main BUILDKITE_BUILD_NUMBER=8",
                "branch refs/heads/main aa default=main run=8",
            ),
            ("BUILDKITE_BRANCH=main BUILDKITE_RETRY_COUNT=1", "branch refs/heads/main aa attempt=2"),
            (
                "BUILDKITE_BRANCH=fix BUILDKITE_PULL_REQUEST=7 BUILDKITE_PULL_REQUEST_BASE_BRANCH=main \
                 BUILDKITE_PULL_REQUEST_REPO=https://github.com/o/n.git BUILDKITE_PULL_REQUEST_DRAFT=false",
                "pull_request refs/pull/7/head aa from=fix to=main fork=false draft=false",
            ),
            (
                "BUILDKITE_BRANCH=me:main BUILDKITE_PULL_REQUEST=7 BUILDKITE_PULL_REQUEST_REPO=git://github.com/me/n.git \
                 BUILDKITE_PULL_REQUEST_LABELS=a,b BUILDKITE_SOURCE=ui",
                "pull_request refs/pull/7/head aa from=main fork=true labels=a+b",
            ),
            (
                "BUILDKITE_BRANCH=gh-readonly-queue/main/pr-7-bb BUILDKITE_MERGE_QUEUE_BASE_BRANCH=main",
                "merge_queue refs/heads/gh-readonly-queue/main/pr-7-bb aa to=main",
            ),
        ],
    );
}

#[test]
fn circleci() {
    table(
        "CircleCI",
        "CI=true CIRCLECI=true CIRCLE_SHA1=aa",
        &[
            ("CIRCLE_BRANCH=main CIRCLE_BUILD_NUM=3", "branch refs/heads/main aa run=3"),
            ("CIRCLE_TAG=v1", "tag refs/tags/v1 aa"),
            (
                "CIRCLE_BRANCH=fix CIRCLE_PULL_REQUEST=https://github.com/o/n/pull/7",
                "pull_request refs/pull/7/head aa from=fix fork=false default-is-push",
            ),
            (
                "CIRCLE_BRANCH=pull/7 CIRCLE_PR_NUMBER=7 CIRCLE_PR_USERNAME=me CIRCLE_PULL_REQUEST=https://github.com/o/n/pull/7",
                "pull_request refs/pull/7/head aa fork=true",
            ),
            ("CIRCLE_BRANCH=pull/7", "pull_request refs/pull/7/head aa fork=true"),
        ],
    );
}

#[test]
fn travis() {
    table(
        "Travis CI",
        "CI=true TRAVIS=true TRAVIS_COMMIT=aa TRAVIS_REPO_SLUG=o/n",
        &[
            (
                "TRAVIS_EVENT_TYPE=push TRAVIS_BRANCH=main TRAVIS_PULL_REQUEST=false",
                "branch refs/heads/main aa",
            ),
            (
                "TRAVIS_EVENT_TYPE=push TRAVIS_BRANCH=v1 TRAVIS_TAG=v1 TRAVIS_PULL_REQUEST=false",
                "tag refs/tags/v1 aa",
            ),
            (
                "TRAVIS_EVENT_TYPE=cron TRAVIS_BRANCH=main TRAVIS_BUILD_NUMBER=4",
                "schedule refs/heads/main aa by=schedule run=4",
            ),
            ("TRAVIS_EVENT_TYPE=api TRAVIS_BRANCH=main", "manual refs/heads/main aa by=manual"),
            (
                "TRAVIS_EVENT_TYPE=pull_request TRAVIS_BRANCH=main TRAVIS_PULL_REQUEST=7 TRAVIS_PULL_REQUEST_BRANCH=fix \
                 TRAVIS_PULL_REQUEST_SHA=bb TRAVIS_PULL_REQUEST_SLUG=me/n TRAVIS_PULL_REQUEST_IS_DRAFT=false",
                "pull_request refs/pull/7/head bb from=fix to=main fork=true draft=false",
            ),
            (
                "TRAVIS_EVENT_TYPE=pull_request TRAVIS_BRANCH=main TRAVIS_PULL_REQUEST=7 TRAVIS_PULL_REQUEST_BRANCH=fix \
                 TRAVIS_PULL_REQUEST_SHA=bb TRAVIS_PULL_REQUEST_SLUG=o/n",
                "pull_request refs/pull/7/head bb from=fix to=main fork=false",
            ),
        ],
    );
}

#[test]
fn semaphore() {
    table(
        "Semaphore",
        "CI=true SEMAPHORE=true SEMAPHORE_GIT_SHA=aa SEMAPHORE_GIT_REPO_SLUG=o/n",
        &[
            (
                "SEMAPHORE_GIT_REF_TYPE=branch SEMAPHORE_GIT_REF=refs/heads/main SEMAPHORE_GIT_BRANCH=main SEMAPHORE_WORKFLOW_NUMBER=2",
                "branch refs/heads/main aa run=2",
            ),
            (
                "SEMAPHORE_GIT_REF_TYPE=tag SEMAPHORE_GIT_REF=refs/tags/v1 SEMAPHORE_GIT_BRANCH=refs/tags/v1 SEMAPHORE_GIT_TAG_NAME=v1",
                "tag refs/tags/v1 aa",
            ),
            (
                "SEMAPHORE_GIT_REF_TYPE=branch SEMAPHORE_GIT_BRANCH=main SEMAPHORE_WORKFLOW_TRIGGERED_BY_SCHEDULE=true",
                "schedule refs/heads/main aa by=schedule",
            ),
            (
                "SEMAPHORE_GIT_REF_TYPE=branch SEMAPHORE_GIT_BRANCH=main SEMAPHORE_WORKFLOW_TRIGGERED_BY_API=true",
                "manual refs/heads/main aa by=manual",
            ),
            (
                "SEMAPHORE_GIT_REF_TYPE=pull-request SEMAPHORE_GIT_BRANCH=main SEMAPHORE_GIT_PR_NUMBER=7 SEMAPHORE_GIT_PR_SHA=bb \
                 SEMAPHORE_GIT_PR_BRANCH=fix SEMAPHORE_GIT_PR_SLUG=me/n SEMAPHORE_GIT_REF=refs/semaphoreci/cc",
                "pull_request refs/pull/7/head bb from=fix to=main fork=true",
            ),
            (
                "SEMAPHORE_GIT_REF_TYPE=branch SEMAPHORE_GIT_BRANCH=main SEMAPHORE_GIT_REF=refs/tags/v1",
                "branch refs/heads/main aa contradiction",
            ),
        ],
    );
}

#[test]
fn appveyor() {
    table(
        "AppVeyor",
        "CI=True APPVEYOR=True APPVEYOR_REPO_COMMIT=aa APPVEYOR_REPO_NAME=o/n APPVEYOR_REPO_BRANCH=main",
        &[
            ("APPVEYOR_REPO_TAG=false APPVEYOR_BUILD_NUMBER=6", "branch refs/heads/main aa run=6"),
            ("APPVEYOR_REPO_TAG=true APPVEYOR_REPO_TAG_NAME=v1", "tag refs/tags/v1 aa"),
            ("APPVEYOR_REPO_TAG=true", "branch refs/heads/main aa contradiction"),
            ("APPVEYOR_SCHEDULED_BUILD=True", "schedule refs/heads/main aa by=schedule"),
            ("APPVEYOR_FORCED_BUILD=True", "manual refs/heads/main aa by=manual"),
            (
                "APPVEYOR_PULL_REQUEST_NUMBER=7 APPVEYOR_PULL_REQUEST_HEAD_COMMIT=bb APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH=main \
                 APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME=me/n",
                "pull_request refs/pull/7/head bb from=main to=main fork=true",
            ),
        ],
    );
}

#[test]
fn cirrus_and_codefresh() {
    table(
        "Cirrus CI",
        "CI=true CIRRUS_CI=true CIRRUS_CHANGE_IN_REPO=aa CIRRUS_DEFAULT_BRANCH=main",
        &[
            ("CIRRUS_BRANCH=main", "branch refs/heads/main aa default=main"),
            ("CIRRUS_TAG=v1 CIRRUS_RELEASE=1", "tag refs/tags/v1 aa default=main"),
            (
                "CIRRUS_BRANCH=main CIRRUS_CRON=nightly",
                "schedule refs/heads/main aa by=schedule default=main",
            ),
            (
                "CIRRUS_BRANCH=pull/7 CIRRUS_PR=7 CIRRUS_BASE_BRANCH=main CIRRUS_PR_DRAFT=true CIRRUS_PR_LABELS=a,b",
                "pull_request refs/pull/7/head aa to=main fork=true draft=true labels=a+b default=main",
            ),
            ("CIRRUS_BRANCH=pull/7", "pull_request refs/pull/7/head aa fork=true default=main"),
            // cirruslabs/cirrus-ci-docs#71
            (
                "CIRRUS_BRANCH=fix CIRRUS_PR=7",
                "pull_request refs/pull/7/head aa from=fix fork=false default=main",
            ),
        ],
    );
    table(
        "Codefresh",
        "CI=true CF_BUILD_ID=x CF_REVISION=aa",
        &[
            ("CF_BRANCH=main", "branch refs/heads/main aa ambiguous"),
            ("CF_RELEASE_TAG=v1 CF_BRANCH=main", "tag refs/tags/v1 aa"),
            (
                "CF_BRANCH=fix CF_PULL_REQUEST_NUMBER=7 CF_PULL_REQUEST_TARGET=main CF_PULL_REQUEST_IS_FORK=true",
                "pull_request refs/pull/7/head aa from=fix to=main fork=true",
            ),
            (
                "CF_BRANCH=fix CF_PULL_REQUEST_NUMBER=7 CF_PULL_REQUEST_ACTION=closed",
                "pull_request_closed refs/pull/7/head aa from=fix",
            ),
        ],
    );
}
