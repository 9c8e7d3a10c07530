//! The process group of another program, such as one that has credentials: stopping the group also stops everything that the program started.

use std::io::IsTerminal;

use tokio::process::{Child, Command};

/// Whether programs get a process group of their own. If the run's input is a terminal, they stay in the foreground, so
/// that they can ask questions and receive an interrupt: the terminal stops a background group that reads from it
/// (POSIX.1-2017, chapter 11, "General Terminal Interface").
pub(super) fn is_apart() -> bool {
    !std::io::stdin().is_terminal()
}

/// Stops a program and everything that it started when dropped, unless it is [released](Self::release) before.
pub struct ProcessGroup {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl ProcessGroup {
    /// Makes `command` start a group of its own if `apart` is set.
    pub fn prepare(command: &mut Command, apart: bool) {
        if apart {
            command.process_group(0);
        }
    }

    /// Returns the group of `child`, whose command was prepared.
    pub fn of(child: &Child, apart: bool) -> Self {
        let leader = child.id().filter(|_| apart).and_then(|id| i32::try_from(id).ok());
        Self { leader: leader.and_then(rustix::process::Pid::from_raw) }
    }

    /// Lets the program go on.
    pub fn release(mut self) {
        self.leader = None;
    }
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // The group may be empty.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
impl ProcessGroup {
    /// Does nothing: there are no process groups on this system.
    pub fn prepare(_command: &mut Command, _apart: bool) {}

    /// Returns an empty group: there are no process groups on this system.
    pub fn of(_child: &Child, _apart: bool) -> Self {
        Self {}
    }

    /// Lets the program go on.
    pub fn release(self) {}
}
