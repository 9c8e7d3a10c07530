//! Tests of CIs that people run themselves.

use super::table;

#[test]
fn jenkins() {
    let gerrit = "GERRIT_CHANGE_NUMBER=70 GERRIT_BRANCH=main GIT_BRANCH=origin/main";
    let uploaded = format!("{gerrit} GERRIT_EVENT_TYPE=patchset-created GERRIT_PATCHSET_REVISION=bb");
    let merged = format!("{gerrit} GERRIT_EVENT_TYPE=change-merged");
    table(
        "Jenkins",
        "JENKINS_URL=http://j GIT_COMMIT=aa",
        &[
            ("GIT_BRANCH=origin/main BUILD_NUMBER=5", "branch refs/heads/main aa run=5"),
            ("GIT_BRANCH=upstream/main", "branch refs/heads/main aa"),
            ("GIT_BRANCH=refs/heads/main", "branch refs/heads/main aa"),
            ("GIT_BRANCH=refs/remotes/origin/feature/x", "branch refs/heads/feature/x aa"),
            ("BRANCH_NAME=feature/x GIT_BRANCH=feature/x", "branch refs/heads/feature/x aa"),
            ("GIT_BRANCH=refs/tags/v1", "tag refs/tags/v1 aa"),
            ("GIT_BRANCH=origin/tags/v1", "tag refs/tags/v1 aa"),
            ("GIT_BRANCH=tags/v1", "tag refs/tags/v1 aa"),
            ("BRANCH_NAME=v1 TAG_NAME=v1 GIT_BRANCH=v1", "tag refs/tags/v1 aa"),
            ("GIT_BRANCH=detached", "other - aa unknown"),
            ("GIT_BRANCH=HEAD", "other - aa unknown"),
            ("BUILD_CAUSE=TIMERTRIGGER GIT_BRANCH=origin/main", "schedule refs/heads/main aa by=schedule"),
            (
                "BRANCH_NAME=PR-7 CHANGE_ID=7 CHANGE_BRANCH=fix CHANGE_TARGET=main",
                "pull_request refs/pull/7/head aa from=fix to=main",
            ),
            (
                "BRANCH_NAME=PR-7-merge CHANGE_ID=7 CHANGE_BRANCH=fix CHANGE_TARGET=main CHANGE_FORK=me",
                "pull_request refs/pull/7/head aa from=fix to=main fork=true",
            ),
            ("BRANCH_NAME=PR-7", "pull_request refs/pull/7/head aa"),
            ("BRANCH_NAME=MR-7-head", "pull_request refs/pull/7/head aa"),
            ("GIT_BRANCH=origin/pr/7/merge", "pull_request refs/pull/7/head aa"),
            ("GIT_BRANCH=refs/pull/7/head", "pull_request refs/pull/7/head aa"),
            (
                "ghprbPullId=7 ghprbSourceBranch=fix ghprbTargetBranch=main ghprbActualCommit=bb GIT_BRANCH=origin/pr/7/merge",
                "pull_request refs/pull/7/head bb from=fix to=main",
            ),
            (
                "gitlabMergeRequestIid=7 gitlabSourceBranch=fix gitlabTargetBranch=main gitlabMergeRequestLastCommit=bb GIT_BRANCH=origin/fix",
                "pull_request refs/pull/7/head bb from=fix to=main",
            ),
            (&uploaded, "pull_request refs/pull/70/head bb to=main"),
            (&merged, "branch refs/heads/main aa"),
            ("", "other - aa unknown"),
        ],
    );
}

#[test]
fn woodpecker_and_drone() {
    table(
        "Woodpecker",
        "CI=woodpecker CI_COMMIT_SHA=aa CI_REPO_DEFAULT_BRANCH=main CI_COMMIT_BRANCH=main CI_COMMIT_TAG= CI_PIPELINE_NUMBER=8",
        &[
            (
                "CI_PIPELINE_EVENT=push CI_COMMIT_REF=refs/heads/main",
                "branch refs/heads/main aa default=main run=8",
            ),
            (
                "CI_PIPELINE_EVENT=tag CI_COMMIT_TAG=v1 CI_COMMIT_REF=refs/tags/v1",
                "tag refs/tags/v1 aa default=main run=8",
            ),
            (
                "CI_PIPELINE_EVENT=release CI_COMMIT_TAG=v1 CI_COMMIT_REF=refs/tags/v1 CI_PIPELINE_RELEASE_PRE=true",
                "tag refs/tags/v1 aa default=main pre=true run=8",
            ),
            ("CI_PIPELINE_EVENT=cron", "schedule refs/heads/main aa by=schedule default=main run=8"),
            ("CI_PIPELINE_EVENT=manual", "manual refs/heads/main aa by=manual default=main run=8"),
            ("CI_PIPELINE_EVENT=manual CI_COMMIT_TAG=v1", "tag refs/tags/v1 aa by=manual default=main run=8"),
            (
                "CI_PIPELINE_EVENT=deployment CI_COMMIT_REF=refs/heads/main",
                "other refs/heads/main aa default=main run=8 idle",
            ),
            (
                "CI_PIPELINE_EVENT=pull_request CI_COMMIT_PULL_REQUEST=7 CI_COMMIT_SOURCE_BRANCH=fix CI_COMMIT_TARGET_BRANCH=main \
                 CI_COMMIT_REF=refs/pull/7/head CI_COMMIT_PULL_REQUEST_LABELS=a,b CI_COMMIT_PULL_REQUEST_DRAFT=true",
                "pull_request refs/pull/7/head aa from=fix to=main draft=true labels=a+b default=main run=8",
            ),
            (
                "CI_PIPELINE_EVENT=pull_request_metadata CI_COMMIT_PULL_REQUEST=7 CI_COMMIT_SOURCE_BRANCH=fix",
                "pull_request refs/pull/7/head aa from=fix default=main run=8",
            ),
            (
                "CI_PIPELINE_EVENT=pull_request_closed CI_COMMIT_PULL_REQUEST=7 CI_COMMIT_SOURCE_BRANCH=fix",
                "pull_request_closed refs/pull/7/head aa from=fix default=main run=8",
            ),
            (
                "CI_PIPELINE_EVENT=tag CI_COMMIT_REF=refs/tags/v1",
                "branch refs/heads/main aa default=main run=8 contradiction",
            ),
            (
                "CI_PIPELINE_EVENT=push CI_COMMIT_REF=refs/pull/7/head",
                "branch refs/heads/main aa default=main run=8 contradiction",
            ),
        ],
    );
    table(
        "Drone",
        "CI=true DRONE=true DRONE_COMMIT_SHA=aa DRONE_REPO_BRANCH=main DRONE_BRANCH=main",
        &[
            (
                "DRONE_BUILD_EVENT=push DRONE_COMMIT_REF=refs/heads/main",
                "branch refs/heads/main aa default=main",
            ),
            (
                "DRONE_BUILD_EVENT=tag DRONE_TAG=v1 DRONE_COMMIT_REF=refs/tags/v1",
                "tag refs/tags/v1 aa default=main",
            ),
            (
                "DRONE_BUILD_EVENT=cron DRONE_BUILD_NUMBER=4",
                "schedule refs/heads/main aa by=schedule default=main run=4",
            ),
            ("DRONE_BUILD_EVENT=custom", "manual refs/heads/main aa by=manual default=main"),
            (
                "DRONE_BUILD_EVENT=promote DRONE_DEPLOY_TO=production",
                "other refs/heads/main aa default=main idle",
            ),
            ("DRONE_BUILD_EVENT=rollback", "other refs/heads/main aa default=main idle"),
            (
                "DRONE_BUILD_EVENT=pull_request DRONE_PULL_REQUEST=7 DRONE_SOURCE_BRANCH=fix DRONE_TARGET_BRANCH=main",
                "pull_request refs/pull/7/head aa from=fix to=main default=main",
            ),
            (
                "DRONE_BUILD_EVENT=pull_request DRONE_BUILD_ACTION=closed DRONE_PULL_REQUEST=7 DRONE_SOURCE_BRANCH=fix",
                "pull_request_closed refs/pull/7/head aa from=fix default=main",
            ),
            ("DRONE_BUILD_EVENT=tag", "branch refs/heads/main aa default=main contradiction"),
        ],
    );
}

#[test]
fn prow() {
    table(
        "Prow",
        "CI=true PROW_JOB_ID=x PULL_BASE_REF=main PULL_BASE_SHA=aa",
        &[
            (
                "JOB_TYPE=presubmit PULL_NUMBER=7 PULL_PULL_SHA=bb PULL_HEAD_REF=fix",
                "pull_request refs/pull/7/head bb from=fix to=main",
            ),
            ("JOB_TYPE=postsubmit", "branch refs/heads/main aa ambiguous"),
            ("JOB_TYPE=batch PULL_REFS=main:aa,7:bb,8:cc", "merge_queue refs/heads/main - to=main no-sha"),
            ("JOB_TYPE=periodic", "schedule refs/heads/main aa by=schedule"),
            ("JOB_TYPE=periodic PULL_BASE_REF= PULL_BASE_SHA=", "schedule - - by=schedule"),
            ("", "other - - unknown"),
        ],
    );
}

#[test]
fn servers_and_clouds() {
    table(
        "Bamboo",
        "bamboo_buildKey=P-P bamboo_planRepository_revision=aa",
        &[
            ("bamboo_planRepository_branchName=main bamboo_buildNumber=3", "branch refs/heads/main aa run=3"),
            (
                "bamboo_repository_pr_key=7 bamboo_repository_pr_sourceBranch=fix bamboo_repository_pr_targetBranch=main",
                "pull_request refs/pull/7/head aa from=fix to=main",
            ),
            ("", "other - aa unknown"),
        ],
    );
    table(
        "Google Cloud Build",
        "BUILDER_OUTPUT=/builder/outputs COMMIT_SHA=aa",
        &[
            ("BRANCH_NAME=main", "branch refs/heads/main aa"),
            ("TAG_NAME=v1", "tag refs/tags/v1 aa"),
            (
                "_PR_NUMBER=7 _HEAD_BRANCH=fix _BASE_BRANCH=main",
                "pull_request refs/pull/7/head aa from=fix to=main",
            ),
            ("", "other - aa unknown"),
        ],
    );
    table(
        "sourcehut",
        "JOB_ID=9 JOB_URL=https://builds.sr.ht/~me/job/9",
        &[
            ("BUILD_SUBMITTER=git.sr.ht GIT_REF=refs/heads/main", "branch refs/heads/main - run=9"),
            ("BUILD_SUBMITTER=git.sr.ht GIT_REF=refs/tags/v1", "tag refs/tags/v1 - run=9"),
            (
                "BUILD_SUBMITTER=hub.sr.ht BUILD_REASON=patchset PATCHSET_ID=7",
                "pull_request refs/pull/7/head - fork=true run=9",
            ),
            ("", "other - - run=9 unknown"),
        ],
    );
    table(
        "TeamCity",
        "TEAMCITY_VERSION=2025.1",
        &[("BUILD_VCS_NUMBER=aa BUILD_NUMBER=3", "other - aa run=3 unknown")],
    );
    table("Tekton", "HOME=/tekton/home", &[("", "other - - unknown")]);
    table("GoCD", "GO_PIPELINE_LABEL=1", &[("", "other - - unknown")]);
    table("Bitrise", "CI=true BITRISE_IO=true", &[("", "other - - unknown")]);
    table("unknown CI", "CI=true", &[("", "other - - unknown"), ("CI=1 BRANCH=main", "other - - unknown")]);
}
