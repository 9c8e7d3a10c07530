//! Tests of the program and the library that need only git and the programs of every system.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails a test")]

mod approval_page;
mod approvals;
mod architecture;
mod book;
mod bound_plan;
mod builder_files;
mod bundle;
mod chart_images;
mod chart_rules;
mod chart_values;
mod chart_versions;
mod checks;
mod cli_help;
mod command_signers;
mod conflicts;
mod context;
mod corpus;
mod cross_product;
mod diagnostics;
mod docs;
mod error_pages;
mod event_lines;
mod events;
mod example_brokkr;
mod fleets;
mod fmt_command;
mod foreign_property;
mod forward_property;
mod fuzz_corpus;
mod gate_evidence;
mod gates;
mod going_back;
mod hostile_configurations;
mod hostile_plan;
mod hostile_registries;
mod hostile_sources;
mod in_ci;
mod init;
mod init_publishing;
mod lint_command;
mod list_command;
mod login_command;
mod lying_registries;
mod nothing_published;
mod optional_registries;
mod outside_project;
mod partial_sources;
mod pictures;
mod preflight;
mod prune_github;
mod public_content;
mod pushed_by_digest;
mod quickstart;
mod rate_limits;
mod recall;
mod record;
mod referrer_types;
mod referrers;
mod registry_directory;
mod registry_github;
mod registry_http;
mod repository_templates;
mod requests;
mod restore;
mod retention_git;
mod same_images;
mod sbom_command;
mod schema;
mod schema_hints;
mod screens;
mod security;
mod sent_credentials;
mod signing;
mod stages;
mod standard_labels;
mod streams;
mod supply_chain;
mod tags_command;
mod tags_formats;
mod tags_together;
mod template_variables;
mod terminal;
mod version_schemes;
mod versions;
mod visibility;
mod whose_fault;

/// The bodies of the fuzz targets.
#[path = "../fuzz/entry.rs"]
mod entry;
#[path = "../support/published_release.rs"]
mod published_release;
#[path = "../support/secret_places.rs"]
mod secret_places;
#[path = "../support/silent_reporter.rs"]
mod silent_reporter;
#[path = "../support/small_image.rs"]
mod small_image;
