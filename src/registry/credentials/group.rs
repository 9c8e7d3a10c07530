//! The group of processes that a credential program is in: what it starts ends with it, where it is ended.

use std::io::IsTerminal;

use tokio::process::{Child, Command};

/// Whether programs get a group of their own. Where the run's input is a terminal they stay in the foreground, where they may ask and
/// an interrupt reaches them: the terminal stops a group in the background that reads from it (POSIX.1-2017, chapter 11, "General
/// Terminal Interface").
pub(super) fn is_apart() -> bool {
    !std::io::stdin().is_terminal()
}

/// Ends a program with everything that it started, unless it is [let go](Self::release) before.
pub(super) struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    /// Has `command` start a group, where it is `apart`.
    pub(super) fn prepare(command: &mut Command, apart: bool) {
        if apart {
            command.process_group(0);
        }
    }

    /// The group of `child`, that was prepared.
    pub(super) fn of(child: &Child, apart: bool) -> Self {
        let leader = child.id().filter(|_| apart).and_then(|id| i32::try_from(id).ok());
        Self { leader: leader.and_then(rustix::process::Pid::from_raw) }
    }

    /// Lets it go on.
    pub(super) fn release(mut self) {
        self.leader = None;
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // Nobody may be left in it.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
impl Group {
    /// There are no groups here.
    pub(super) fn prepare(_command: &mut Command, _apart: bool) {}

    /// There are no groups here.
    pub(super) fn of(_child: &Child, _apart: bool) -> Self {
        Self {}
    }

    /// Lets it go on.
    pub(super) fn release(self) {}
}
