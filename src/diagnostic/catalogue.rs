//! The catalogue of diagnostic codes, each with its page in `docs/errors/`.

/// Declares the codes: variant, code, page.
macro_rules! catalogue {
    ($($variant:ident = $code:literal, $page:literal;)+) => {
        /// The kind of problem that a diagnostic reports. Each has a page: `brokkr-publish explain CODE`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the page documents the code
        pub enum Code { $($variant),+ }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as people and machines read it: `publish::tag::collision`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The page about the code, in Markdown.
            pub fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../docs/errors/", $page))),+ }
            }
        }
    };
}

catalogue! {
    ConfigFile = "publish::config::file", "config-file.md";
    ConfigSyntax = "publish::config::syntax", "config-syntax.md";
    ConfigUnknownKey = "publish::config::unknown_key", "config-unknown-key.md";
    ConfigMissingKey = "publish::config::missing_key", "config-missing-key.md";
    ConfigType = "publish::config::type", "config-type.md";
    ConfigValue = "publish::config::value", "config-value.md";
    ConfigOverride = "publish::config::override", "config-override.md";
    ConfigUnknownRegistry = "publish::config::unknown_registry", "config-unknown-registry.md";
    ConfigUnknownTagRule = "publish::config::unknown_tag_rule", "config-unknown-tag-rule.md";
    ConfigUnknownImage = "publish::config::unknown_image", "config-unknown-image.md";
    ConfigUnknownSigner = "publish::config::unknown_signer", "config-unknown-signer.md";
    ConfigUnknownProfile = "publish::config::unknown_profile", "config-unknown-profile.md";
    ConfigPlatform = "publish::config::platform", "config-platform.md";
    ConfigUrl = "publish::config::url", "config-url.md";
    ConfigRepository = "publish::config::repository", "config-repository.md";
    ConfigSource = "publish::config::source", "config-source.md";
    ConfigOutside = "publish::config::outside", "config-outside.md";
    ConfigLiteralCredential = "publish::config::literal_credential", "config-literal-credential.md";
    TemplateSyntax = "publish::template::syntax", "template-syntax.md";
    TemplateUnknownVariable = "publish::template::unknown_variable", "template-unknown-variable.md";
    TemplateUnknownFilter = "publish::template::unknown_filter", "template-unknown-filter.md";
    TemplateComparison = "publish::template::comparison", "template-comparison.md";
    TemplateFailed = "publish::template::failed", "template-failed.md";
    TagInvalid = "publish::tag::invalid", "tag-invalid.md";
    TagCollision = "publish::tag::collision", "tag-collision.md";
    TagNeverFires = "publish::tag::never_fires", "tag-never-fires.md";
    TagReused = "publish::tag::reused", "tag-reused.md";
    TagForward = "publish::tag::forward", "tag-forward.md";
    RetentionRule = "publish::retention::rule", "retention-rule.md";
    RetentionNone = "publish::retention::none", "retention-none.md";
    RetentionUntagged = "publish::retention::untagged", "retention-untagged.md";
    RetentionInUse = "publish::retention::in_use", "retention-in-use.md";
    ContextGit = "publish::context::git", "context-git.md";
    ContextMissing = "publish::context::missing", "context-missing.md";
    ContextFlag = "publish::context::flag", "context-flag.md";
    ContextAmbiguous = "publish::context::ambiguous", "context-ambiguous.md";
    ContextContradiction = "publish::context::contradiction", "context-contradiction.md";
    ContextWorkTree = "publish::context::work_tree", "context-work-tree.md";
    ContextVersion = "publish::context::version", "context-version.md";
    CheckFile = "publish::check::file", "check-file.md";
    CheckDiffers = "publish::check::differs", "check-differs.md";
    SourceMissing = "publish::source::missing", "source-missing.md";
    SourceUnreadable = "publish::source::unreadable", "source-unreadable.md";
    SourceMalformed = "publish::source::malformed", "source-malformed.md";
    SourceDigest = "publish::source::digest", "source-digest.md";
    SourcePlatform = "publish::source::platform", "source-platform.md";
    SourceEngine = "publish::source::engine", "source-engine.md";
    SourceTemporary = "publish::source::temporary", "source-temporary.md";
    SourceUnsupported = "publish::source::unsupported", "source-unsupported.md";
    SourceChart = "publish::source::chart", "source-chart.md";
    SourceChartDependencies = "publish::source::chart_dependencies", "source-chart-dependencies.md";
    SourceChartImage = "publish::source::chart_image", "source-chart-image.md";
    RegistryUnreachable = "publish::registry::unreachable", "registry-unreachable.md";
    RegistryUnauthorized = "publish::registry::unauthorized", "registry-unauthorized.md";
    RegistryDenied = "publish::registry::denied", "registry-denied.md";
    RegistryNotFound = "publish::registry::not_found", "registry-not-found.md";
    RegistryRateLimited = "publish::registry::rate_limited", "registry-rate-limited.md";
    RegistryRejected = "publish::registry::rejected", "registry-rejected.md";
    RegistryProtocol = "publish::registry::protocol", "registry-protocol.md";
    RegistryCredentials = "publish::registry::credentials", "registry-credentials.md";
    RegistryDirectory = "publish::registry::directory", "registry-directory.md";
    PlanConflict = "publish::plan::conflict", "plan-conflict.md";
    PlanStale = "publish::plan::stale", "plan-stale.md";
    PlanNotApproved = "publish::plan::not_approved", "plan-not-approved.md";
    PlanNothing = "publish::plan::nothing", "plan-nothing.md";
    PlanFile = "publish::plan::file", "plan-file.md";
    PlanLimits = "publish::plan::limits", "plan-limits.md";
    PlanTarget = "publish::plan::target", "plan-target.md";
    ApplyFailed = "publish::apply::failed", "apply-failed.md";
    ApplyReadBack = "publish::apply::read_back", "apply-read-back.md";
    ApplyNotRestored = "publish::apply::not_restored", "apply-not-restored.md";
    ApplyInterrupted = "publish::apply::interrupted", "apply-interrupted.md";
    ApplyNotConfirmed = "publish::apply::not_confirmed", "apply-not-confirmed.md";
    SecretsFound = "publish::secrets::found", "secrets-found.md";
    SecretsUnreadable = "publish::secrets::unreadable", "secrets-unreadable.md";
    GateClosed = "publish::gate::closed", "gate-closed.md";
    SigningKey = "publish::signing::key", "signing-key.md";
    SigningPredicate = "publish::signing::predicate", "signing-predicate.md";
    SigningMissing = "publish::signing::missing", "signing-missing.md";
    VisibilityDiffers = "publish::visibility::differs", "visibility-differs.md";
    VisibilityApi = "publish::visibility::api", "visibility-api.md";
    CommandUsage = "publish::command::usage", "command-usage.md";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = String;

    /// Accepts a whole code, or its last part if that is unique.
    fn from_str(text: &str) -> Result<Self, String> {
        let whole = Self::ALL.iter().find(|code| code.as_str() == text);
        let mut by_suffix = Self::ALL
            .iter()
            .filter(|code| code.as_str().strip_suffix(text).is_some_and(|before| before.ends_with("::")));
        if let Some(code) = whole.or_else(|| by_suffix.next().filter(|_| by_suffix.next().is_none())) {
            return Ok(*code);
        }
        let nearest = Self::ALL
            .iter()
            .map(|code| (strsim::damerau_levenshtein(code.as_str(), text), code))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, _)| *distance <= 8);
        Err(match nearest {
            Some((_, code)) => format!("`{text}` is not a code; did you mean `{code}`?"),
            None => format!("`{text}` is not a code"),
        })
    }
}
