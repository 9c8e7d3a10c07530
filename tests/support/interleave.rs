//! Drives several applies through a scripted registry in every interleaving of their requests: each apply has a door of
//! its own, and the requests that matter wait there until the schedule lets them go on.
//!
//! Include it beside `command`, `image`, `test_registry` and `world`.
#![allow(dead_code)] // each test file uses a part of it
#![allow(clippy::unwrap_used, clippy::expect_used)] // what goes wrong here fails a test

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::diagnostic::Diagnostic;
use brokkr_publish::engine::{self, Applying, Session};
use brokkr_publish::event::{Event, Reporter};
use brokkr_publish::model::outcome::Outcome;
use futures_util::future::join_all;
use tokio::sync::{Notify, oneshot, watch};

use crate::command::Folder;
use crate::test_registry::{Gate, Options, TestRegistry};
use crate::world::image;

/// What one of the applies publishes.
#[derive(Clone)]
pub struct Actor {
    version: Option<String>,
    commit: Option<usize>,
    rules: String,
    text: String,
}

impl Actor {
    /// The release of a version.
    pub fn release(version: &str) -> Self {
        Self {
            version: Some(version.to_owned()),
            commit: None,
            rules: String::new(),
            text: version.to_owned(),
        }
    }

    /// The branch `main` at one of its commits, from 0.
    pub fn commit(number: usize) -> Self {
        Self { version: None, commit: Some(number), rules: String::new(), text: format!("commit {number}") }
    }

    /// Nothing at all.
    pub fn nothing(rules: &str) -> Self {
        Self { version: None, commit: None, rules: rules.to_owned(), text: String::new() }
    }

    /// The same by these tag rules.
    pub fn with_rules(self, rules: &str) -> Self {
        Self { rules: rules.to_owned(), ..self }
    }

    /// The same with other bytes.
    pub fn rebuilt(self) -> Self {
        Self { text: format!("{} rebuilt", self.text), ..self }
    }
}

/// A request that the schedule let go on.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whose it was.
    pub actor: usize,
    /// `METHOD path`.
    pub line: String,
}

/// How an interleaving ended.
pub struct Ended {
    /// The outcome of each apply, and what went wrong.
    pub runs: Vec<(Outcome, Vec<Diagnostic>)>,
    /// The digest that each publishes.
    pub digests: Vec<String>,
    /// The requests, in their order.
    pub steps: Vec<Step>,
    tags: std::collections::BTreeMap<String, String>,
}

impl Ended {
    /// What a tag names in the end.
    pub fn tag(&self, tag: &str) -> String {
        self.tags.get(tag).cloned().unwrap_or_else(|| "nothing".to_owned())
    }

    /// Everything that went wrong, in all.
    pub fn problems(&self) -> Vec<String> {
        self.runs.iter().flat_map(|(_, problems)| problems).map(|it| it.message.clone()).collect()
    }

    /// The schedule, for messages.
    pub fn schedule(&self) -> String {
        self.steps.iter().map(|step| format!("\n  {} {}", step.actor, step.line)).collect()
    }
}

struct Silent;

impl Reporter for Silent {
    fn report(&self, _: &Event<'_>) {}
}

/// Requests that wait at the doors, and who is over.
struct Waiting {
    queues: Vec<VecDeque<(String, oneshot::Sender<()>)>>,
    over: Vec<bool>,
}

/// What the folders of the actors hold.
struct World {
    folder: Folder,
    shas: Vec<String>,
    digests: Vec<String>,
}

fn prepare(actors: &[&Actor]) -> World {
    let folder = Folder::new();
    folder.write("repository/readme", "x");
    let git = |arguments: &[&str]| folder.git_in("repository", arguments);
    git(&["init", "--quiet", "--initial-branch", "main"]);
    let shas = (0..3)
        .map(|number| {
            git(&["commit", "--quiet", "--allow-empty", "--message", &number.to_string()]);
            git(&["rev-parse", "HEAD"])
        })
        .collect::<Vec<String>>();
    let digests = actors.iter().enumerate().map(|(which, actor)| {
        let image = image(&actor.text);
        let image = match actor.commit {
            Some(number) => image.revision(&shas[number]),
            None => image,
        };
        folder.image(&format!("repository/{which}"), &image).digest
    });
    let digests = digests.collect();
    World { folder, shas, digests }
}

impl World {
    fn session(&self, which: usize, actor: &Actor, door: &str) -> Session {
        let path = self.folder.path.join("repository");
        let config = format!(
            "version = 1\n[registries.r]\nurl = \"{door}\"\n{}\n[images.app]\nsource = \"oci:{which}\"\n",
            actor.rules
        );
        let file = path.join(format!("{which}.toml"));
        std::fs::write(&file, config).unwrap();
        let reference = match &actor.version {
            Some(version) => format!("refs/tags/v{version}"),
            None => "refs/heads/main".to_owned(),
        };
        Session {
            config: Some(file),
            profile: None,
            set: Vec::new(),
            flags: Flags {
                reference: Some(reference),
                sha: actor.commit.map(|number| self.shas[number].clone()),
                ..Flags::default()
            },
            environment: std::env::vars().filter(|(name, _)| name == "PATH").collect::<Environment>(),
            working_folder: path,
        }
    }
}

/// Runs `actors` at once on top of what `before` published, once for every interleaving of the requests that hold one of
/// `gated` (a part of the path, with the method before it where that matters), and shows how each ended.
///
/// All plans are made before, so that every apply meets what the others did since.
pub fn explore(before: &Actor, actors: &[Actor], gated: &[&'static str], mut check: impl FnMut(Ended)) {
    let all: Vec<&Actor> = actors.iter().chain([before]).collect();
    let world = prepare(&all);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Each choice with how many there were: counted up like a number, from the right.
    let mut choices: Vec<(usize, usize)> = Vec::new();
    loop {
        let ended = runtime.block_on(run(&world, before, actors, gated, &mut choices));
        check(ended);
        while choices.last().is_some_and(|(taken, of)| taken + 1 == *of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some((taken, _)) => *taken += 1,
            None => return,
        }
    }
}

async fn run(
    world: &World,
    before: &Actor,
    actors: &[Actor],
    gated: &[&'static str],
    choices: &mut Vec<(usize, usize)>,
) -> Ended {
    let registry = TestRegistry::start(Options::default()).await;
    let reporter: Arc<dyn Reporter> = Arc::new(Silent);
    let how = Applying { saved: false, parallelism: 4 };
    let never = || watch::channel(false).1;
    if before.version.is_some() || before.commit.is_some() {
        let session = world.session(actors.len(), before, &registry.host());
        let plan = engine::plan(&session, &[], 4, &reporter).await.expect("a plan");
        let (_, problems) = engine::apply(&session, &plan, &how, &reporter, never()).await;
        assert_eq!(problems, []);
    }
    let mut doors = Vec::new();
    let mut planned = Vec::new();
    for (which, actor) in actors.iter().enumerate() {
        let door = registry.door().await;
        let session = world.session(which, actor, &door);
        let plan = engine::plan(&session, &[], 4, &reporter).await.expect("a plan");
        doors.push(door);
        planned.push((session, plan));
    }
    let queues = actors.iter().map(|_| VecDeque::new()).collect();
    let waiting = Arc::new(Mutex::new(Waiting { queues, over: vec![false; actors.len()] }));
    let changed = Arc::new(Notify::new());
    registry.hold(gate(gated, doors, waiting.clone(), changed.clone()));
    let runs = planned.iter().enumerate().map(|(which, (session, plan))| {
        let (reporter, waiting, changed) = (&reporter, &waiting, &changed);
        async move {
            let (_sender, cancel) = watch::channel(false);
            let ended = engine::apply(session, plan, &how, reporter, cancel).await;
            waiting.lock().unwrap().over[which] = true;
            changed.notify_one();
            ended
        }
    });
    let (ended, steps) = tokio::join!(join_all(runs), conduct(&waiting, &changed, choices));
    let tags =
        registry.content().tags.iter().map(|((_, tag), digest)| (tag.clone(), digest.to_string())).collect();
    Ended { runs: ended, digests: world.digests.clone(), steps, tags }
}

fn gate(
    gated: &[&'static str],
    doors: Vec<String>,
    waiting: Arc<Mutex<Waiting>>,
    changed: Arc<Notify>,
) -> Gate {
    let gated = gated.to_vec();
    Arc::new(move |request| {
        let line = request.line();
        let holds = gated.iter().any(|part| match part.split_once(' ') {
            Some((method, part)) => request.method == method && line.contains(part),
            None => line.contains(part),
        });
        let actor = doors.iter().position(|door| *door == request.door);
        let Some(actor) = actor.filter(|_| holds) else { return Box::pin(std::future::ready(())) };
        let (sender, receiver) = oneshot::channel();
        waiting.lock().unwrap().queues[actor].push_back((line, sender));
        changed.notify_one();
        Box::pin(async move {
            let _ = receiver.await;
        })
    })
}

/// Lets one request after the other go on: each time all who are not over wait, by the next choice.
async fn conduct(waiting: &Mutex<Waiting>, changed: &Notify, choices: &mut Vec<(usize, usize)>) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        let next = {
            let mut waiting = waiting.lock().unwrap();
            if waiting.over.iter().all(|over| *over) {
                return steps;
            }
            let live: Vec<usize> = (0..waiting.over.len()).filter(|actor| !waiting.over[*actor]).collect();
            let ready = live.iter().all(|actor| !waiting.queues[*actor].is_empty());
            ready.then(|| {
                let position = steps.len();
                if position == choices.len() {
                    choices.push((0, live.len()));
                }
                let (taken, of) = choices[position];
                assert_eq!(of, live.len(), "the same choices lead to the same place");
                let actor = live[taken];
                let (line, sender) = waiting.queues[actor].pop_front().expect("a request");
                steps.push(Step { actor, line });
                sender
            })
        };
        if let Some(sender) = next {
            let _ = sender.send(());
        } else {
            let limit = std::time::Duration::from_secs(30);
            tokio::time::timeout(limit, changed.notified()).await.expect("somebody asks or ends");
        }
    }
}
