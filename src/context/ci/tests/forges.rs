//! Tests of the CIs of forges and clouds.

use super::table;

#[test]
fn gitea_and_forgejo() {
    let rows = [
        ("GITHUB_EVENT_NAME=push GITHUB_REF=refs/heads/main", "branch refs/heads/main aa"),
        ("GITHUB_EVENT_NAME=push GITHUB_REF=refs/tags/v1", "tag refs/tags/v1 aa"),
        (
            "GITHUB_EVENT_NAME=pull_request GITHUB_REF=refs/pull/7/head GITHUB_HEAD_REF=fix GITHUB_BASE_REF=main",
            "pull_request refs/pull/7/head aa from=fix to=main",
        ),
        (
            "GITHUB_EVENT_NAME=workflow_dispatch GITHUB_REF=refs/heads/main GITHUB_RUN_NUMBER=3",
            "manual refs/heads/main aa by=manual run=3",
        ),
        (
            "GITHUB_EVENT_NAME=schedule GITHUB_REF=refs/heads/main",
            "schedule refs/heads/main aa by=schedule default=main",
        ),
        ("GITHUB_EVENT_NAME=issue_comment GITHUB_REF=refs/heads/main", "other refs/heads/main aa idle"),
    ];
    table("Gitea Actions", "GITHUB_ACTIONS=true GITEA_ACTIONS=true GITHUB_SHA=aa", &rows);
    table(
        "Forgejo Actions",
        "GITHUB_ACTIONS=true GITEA_ACTIONS=true FORGEJO_ACTIONS=true GITHUB_SHA=aa",
        &rows,
    );
}

#[test]
fn gitlab() {
    const MERGE_REQUEST: &str = "CI_PIPELINE_SOURCE=merge_request_event CI_MERGE_REQUEST_IID=7 \
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=fix CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_MERGE_REQUEST_PROJECT_ID=1";
    let merge_request = |more: &str| format!("{MERGE_REQUEST} {more}");
    let own = merge_request(
        "CI_MERGE_REQUEST_EVENT_TYPE=detached CI_MERGE_REQUEST_SOURCE_PROJECT_ID=1 CI_COMMIT_REF_NAME=fix",
    );
    let fork = merge_request(
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=2 CI_MERGE_REQUEST_LABELS=a,b CI_MERGE_REQUEST_DRAFT=true",
    );
    let merged =
        merge_request("CI_MERGE_REQUEST_EVENT_TYPE=merged_result CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=bb");
    let train =
        merge_request("CI_MERGE_REQUEST_EVENT_TYPE=merge_train CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=bb");
    let child = merge_request("").replace("merge_request_event", "parent_pipeline");
    table(
        "GitLab CI",
        "CI=true GITLAB_CI=true CI_COMMIT_SHA=aa CI_DEFAULT_BRANCH=main",
        &[
            (
                "CI_PIPELINE_SOURCE=push CI_COMMIT_BRANCH=main CI_COMMIT_REF_NAME=main",
                "branch refs/heads/main aa default=main",
            ),
            (
                "CI_PIPELINE_SOURCE=push CI_COMMIT_TAG=v1 CI_COMMIT_REF_NAME=v1 CI_PIPELINE_IID=9",
                "tag refs/tags/v1 aa default=main run=9",
            ),
            // A merge request is open from the branch, but this is the branch's pipeline.
            (
                "CI_PIPELINE_SOURCE=push CI_COMMIT_BRANCH=main CI_OPEN_MERGE_REQUESTS=g/p!7",
                "branch refs/heads/main aa default=main",
            ),
            (&own, "pull_request refs/pull/7/head aa from=fix to=main fork=false default=main"),
            (
                &fork,
                "pull_request refs/pull/7/head aa from=fix to=main fork=true draft=true labels=a+b default=main",
            ),
            (&merged, "pull_request refs/pull/7/head bb from=fix to=main default=main"),
            (&train, "pull_request refs/pull/7/head bb from=fix to=main default=main"),
            (&child, "pull_request refs/pull/7/head aa from=fix to=main default=main"),
            (
                "CI_PIPELINE_SOURCE=schedule CI_COMMIT_BRANCH=main",
                "schedule refs/heads/main aa by=schedule default=main",
            ),
            ("CI_PIPELINE_SOURCE=schedule CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa by=schedule default=main"),
            (
                "CI_PIPELINE_SOURCE=web CI_COMMIT_BRANCH=main",
                "manual refs/heads/main aa by=manual default=main",
            ),
            ("CI_PIPELINE_SOURCE=web CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa by=manual default=main"),
            ("CI_PIPELINE_SOURCE=api CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa by=manual default=main"),
            (
                "CI_PIPELINE_SOURCE=trigger CI_COMMIT_BRANCH=main",
                "manual refs/heads/main aa by=manual default=main",
            ),
            ("CI_PIPELINE_SOURCE=pipeline CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa by=manual default=main"),
            (
                "CI_PIPELINE_SOURCE=parent_pipeline CI_COMMIT_BRANCH=main",
                "branch refs/heads/main aa default=main",
            ),
            ("CI_PIPELINE_SOURCE=parent_pipeline CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa default=main"),
            (
                "CI_PIPELINE_SOURCE=external_pull_request_event CI_COMMIT_BRANCH=fix CI_EXTERNAL_PULL_REQUEST_IID=7 \
                 CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY=me/n CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY=o/n",
                "pull_request refs/pull/7/head aa from=fix fork=true default=main",
            ),
            (
                "CI_PIPELINE_SOURCE=ondemand_dast_scan CI_COMMIT_BRANCH=main",
                "other refs/heads/main aa default=main idle",
            ),
            ("CI_COMMIT_BRANCH=main CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa default=main contradiction"),
            ("CI_COMMIT_TAG=v1 CI_COMMIT_REF_NAME=main", "tag refs/tags/v1 aa default=main contradiction"),
            ("", "other - aa default=main unknown"),
        ],
    );
}

#[test]
fn azure_pipelines() {
    table(
        "Azure Pipelines",
        "TF_BUILD=True BUILD_SOURCEVERSION=aa",
        &[
            (
                "BUILD_REASON=IndividualCI BUILD_SOURCEBRANCH=refs/heads/feature/x",
                "branch refs/heads/feature/x aa",
            ),
            (
                "BUILD_REASON=BatchedCI BUILD_SOURCEBRANCH=refs/heads/main BUILD_BUILDID=42",
                "branch refs/heads/main aa run=42",
            ),
            ("BUILD_REASON=IndividualCI BUILD_SOURCEBRANCH=refs/tags/v1", "tag refs/tags/v1 aa"),
            ("BUILD_REASON=Manual BUILD_SOURCEBRANCH=refs/tags/v1", "tag refs/tags/v1 aa by=manual"),
            ("BUILD_REASON=Manual BUILD_SOURCEBRANCH=refs/heads/main", "manual refs/heads/main aa by=manual"),
            (
                "BUILD_REASON=Schedule BUILD_SOURCEBRANCH=refs/heads/main",
                "schedule refs/heads/main aa by=schedule",
            ),
            ("BUILD_REASON=ResourceTrigger BUILD_SOURCEBRANCH=refs/heads/main", "branch refs/heads/main aa"),
            // Azure Repos: the pull request has an id and no number.
            (
                "BUILD_REASON=PullRequest BUILD_SOURCEBRANCH=refs/pull/7/merge SYSTEM_PULLREQUEST_PULLREQUESTID=7 \
                 SYSTEM_PULLREQUEST_SOURCEBRANCH=refs/heads/develop SYSTEM_PULLREQUEST_TARGETBRANCH=refs/heads/main \
                 SYSTEM_PULLREQUEST_SOURCECOMMITID=bb SYSTEM_PULLREQUEST_ISFORK=False",
                "pull_request refs/pull/7/head bb from=develop to=main fork=false",
            ),
            // GitHub: the id is Azure's own.
            (
                "BUILD_REASON=PullRequest BUILD_SOURCEBRANCH=refs/pull/7/merge SYSTEM_PULLREQUEST_PULLREQUESTID=987654 \
                 SYSTEM_PULLREQUEST_PULLREQUESTNUMBER=7 SYSTEM_PULLREQUEST_SOURCEBRANCH=fix SYSTEM_PULLREQUEST_ISFORK=True \
                 SYSTEM_PULLREQUEST_TARGETBRANCHNAME=main SYSTEM_PULLREQUEST_SOURCECOMMITID=bb",
                "pull_request refs/pull/7/head bb from=fix to=main fork=true",
            ),
            (
                "BUILD_REASON=Manual BUILD_SOURCEBRANCH=refs/pull/7/merge",
                "pull_request refs/pull/7/head - no-sha",
            ),
            ("BUILD_REASON=PullRequest BUILD_SOURCEBRANCH=refs/heads/develop", "pull_request - - no-sha"),
        ],
    );
}

#[test]
fn bitbucket_and_codebuild() {
    table(
        "Bitbucket Pipelines",
        "CI=true BITBUCKET_BUILD_NUMBER=1 BITBUCKET_COMMIT=aa",
        &[
            ("BITBUCKET_BRANCH=main", "branch refs/heads/main aa run=1"),
            ("BITBUCKET_TAG=v1", "tag refs/tags/v1 aa run=1"),
            (
                "BITBUCKET_BRANCH=fix BITBUCKET_PR_ID=7 BITBUCKET_PR_DESTINATION_BRANCH=main",
                "pull_request refs/pull/7/head aa from=fix to=main fork=false run=1",
            ),
            ("BITBUCKET_BRANCH=main BITBUCKET_TAG=v1", "tag refs/tags/v1 aa run=1 contradiction"),
        ],
    );
    table(
        "AWS CodeBuild",
        "CODEBUILD_BUILD_ID=p:1 CODEBUILD_RESOLVED_SOURCE_VERSION=aa",
        &[
            (
                "CODEBUILD_WEBHOOK_EVENT=PUSH CODEBUILD_WEBHOOK_TRIGGER=branch/main CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/main",
                "branch refs/heads/main aa",
            ),
            (
                "CODEBUILD_WEBHOOK_EVENT=PUSH CODEBUILD_WEBHOOK_TRIGGER=tag/v1 CODEBUILD_WEBHOOK_HEAD_REF=refs/tags/v1",
                "tag refs/tags/v1 aa",
            ),
            (
                "CODEBUILD_WEBHOOK_EVENT=PRERELEASED CODEBUILD_WEBHOOK_TRIGGER=tag/v1",
                "tag refs/tags/v1 aa pre=true",
            ),
            (
                "CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_UPDATED CODEBUILD_WEBHOOK_TRIGGER=pr/7 CODEBUILD_SOURCE_VERSION=pr/7 \
                 CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/fix CODEBUILD_WEBHOOK_BASE_REF=refs/heads/main",
                "pull_request refs/pull/7/head aa from=fix to=main",
            ),
            (
                "CODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_MERGED CODEBUILD_WEBHOOK_TRIGGER=pr/7 CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/fix",
                "pull_request_closed refs/pull/7/head aa from=fix",
            ),
            ("CODEBUILD_SOURCE_VERSION=pr/7 CODEBUILD_INITIATOR=me", "pull_request refs/pull/7/head aa"),
            (
                "CODEBUILD_SOURCE_VERSION=main CODEBUILD_INITIATOR=me",
                "manual refs/heads/main aa by=manual ambiguous",
            ),
            (
                "CODEBUILD_SOURCE_VERSION=refs/tags/v1 CODEBUILD_INITIATOR=me CODEBUILD_BUILD_NUMBER=3",
                "tag refs/tags/v1 aa by=manual run=3",
            ),
            (
                "CODEBUILD_SOURCE_VERSION=refs/heads/main CODEBUILD_INITIATOR=rule/nightly",
                "schedule refs/heads/main aa by=schedule",
            ),
            (
                "CODEBUILD_SOURCE_VERSION=arn:aws:s3:::b/k CODEBUILD_INITIATOR=codepipeline/x",
                "other - aa by=manual unknown",
            ),
        ],
    );
}
