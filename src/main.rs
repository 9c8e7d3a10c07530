//! The entry point of the program: it only returns the exit code of [`brokkr_publish::cli::main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    brokkr_publish::cli::main()
}
