//! `login` and `logout`.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;

use super::exit::{DONE, Exit, block_on};
use super::options::Global;
use crate::diagnostic::{Code, Diagnostic};
use crate::report::one_line;
use crate::run;

/// The longest password or token, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Log in to a registry, for this program, Docker and podman
///
/// Asks the registry whether it accepts the user and the password, and keeps them where Docker and podman look for them: in the file that
/// REGISTRY_AUTH_FILE names or in Docker's config.json, or with the credential program that this file names. On a terminal it asks for
/// what is missing.
#[allow(clippy::doc_markdown, reason = "the text is the help, which is no Markdown")]
#[derive(Debug, Args)]
pub struct LoginArguments {
    /// The host, or the name of a registry in publish.toml.
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// The user.
    #[arg(short, long, value_name = "USER")]
    username: Option<String>,
    /// Read the password or token from standard input.
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,
    /// The password or token. Other users of this machine can see it, and shells keep it: `--password-stdin` is safer.
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Keep the credentials in this file.
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

/// Log out of a registry
///
/// Removes the credentials for the host from every file that Docker, podman and this program read, and from the credential programs that
/// these files name.
#[derive(Debug, Args)]
pub struct LogoutArguments {
    /// The host, or the name of a registry in publish.toml.
    #[arg(value_name = "REGISTRY")]
    registry: String,
    /// Remove the credentials from this file only.
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

pub(super) fn run(global: &Global, arguments: &LoginArguments) -> Exit {
    let output = global.output();
    let session = global.session()?;
    if arguments.password.is_some() {
        output.err("warning: other users of this machine can see a password on the command line; use `--password-stdin`\n");
    }
    let username = match &arguments.username {
        Some(username) => username.clone(),
        None if arguments.password_stdin => return Err(usage("`--password-stdin` needs `--username`")),
        None => output.ask("User: ").unwrap_or_default(),
    };
    let password = match &arguments.password {
        Some(password) => password.clone(),
        None if arguments.password_stdin => password_from_input()?,
        None => output.ask_secretly("Password or token: ").unwrap_or_default(),
    };
    if username.is_empty() || password.is_empty() {
        let missing = if username.is_empty() { "user" } else { "password" };
        return Err(usage(&format!("there is no {missing}")));
    }
    if username.contains(':') {
        return Err(usage("a user name has no colon"));
    }
    let authfile = arguments.authfile.as_deref();
    let done = block_on(run::log_in(&session, &arguments.registry, (&username, &password), authfile))??;
    if !done.is_checked {
        output.err(&format!(
            "warning: {} asks nobody for credentials, so it is unknown whether these are right\n",
            one_line(&done.host)
        ));
    }
    if let Some(origin) = &done.stored.hidden_by {
        output.err(&format!(
            "warning: other credentials are used before these: those of {}\n",
            one_line(origin)
        ));
    }
    if done.stored.readable {
        output.err(&format!(
            "warning: the password is readable in {}; a credential program named by `credsStore` in it keeps it encrypted\n",
            one_line(&done.stored.place)
        ));
    }
    if !global.is_quiet() {
        output.err(&format!(
            "Logged in to {} as {}: {}\n",
            one_line(&done.host),
            one_line(&username),
            one_line(&done.stored.place)
        ));
    }
    Ok(DONE)
}

pub(super) fn log_out(global: &Global, arguments: &LogoutArguments) -> Exit {
    let session = global.session()?;
    let (host, places) =
        block_on(run::log_out(&session, &arguments.registry, arguments.authfile.as_deref()))??;
    if !global.is_quiet() {
        let host = one_line(&host);
        let text = if places.is_empty() {
            format!("There were no credentials for {host}.\n")
        } else {
            format!("Logged out of {host}: {}\n", one_line(&places.join(", ")))
        };
        global.output().err(&text);
    }
    Ok(DONE)
}

/// Returns the password on standard input, without the end of its line.
fn password_from_input() -> Result<String, Vec<Diagnostic>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|cause| usage(&format!("standard input cannot be read: {cause}")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(usage("standard input is too long for a password"));
    }
    let text = String::from_utf8(bytes).map_err(|_| usage("the password on standard input is not UTF-8"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn usage(message: &str) -> Vec<Diagnostic> {
    let help = "pipe a token: `echo \"$TOKEN\" | brokkr-publish login HOST --username USER --password-stdin`";
    vec![Diagnostic::error(Code::CommandUsage, message).help(help)]
}
