//! Drives several applies through a scripted registry in every interleaving of their requests: each apply has an address of
//! its own, and the relevant requests wait there until the schedule releases them.
//!
//! Include it beside `command`, `image`, `test_registry` and `world`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use brokkr_publish::context::{Environment, Flags};
use brokkr_publish::diagnostic::Diagnostic;
use brokkr_publish::model::outcome::Outcome;
use brokkr_publish::model::plan::Plan;
use brokkr_publish::run::{Run, Session};
use futures_util::future::join_all;
use tokio::sync::{Notify, oneshot, watch};

use testkit::command::Folder;
use testkit::test_registry::{Fault, Gate, RegistryContent, TestRegistry, TestRegistryOptions};
use testkit::world::image;

use crate::silent_reporter::SilentReporter;

/// The content that one of the applies publishes.
#[derive(Clone)]
pub struct Actor {
    version: Option<String>,
    commit: Option<usize>,
    rules: String,
    text: String,
    /// The tag that the registry refuses to this apply.
    refused: Option<&'static str>,
}

impl Actor {
    /// The release of a version.
    pub fn release(version: &str) -> Self {
        Self {
            version: Some(version.to_owned()),
            commit: None,
            rules: String::new(),
            text: version.to_owned(),
            refused: None,
        }
    }

    /// The branch `main` at one of its commits, counted from 0.
    pub fn commit(number: usize) -> Self {
        let text = format!("commit {number}");
        Self { version: None, commit: Some(number), rules: String::new(), text, refused: None }
    }

    /// Nothing at all.
    pub fn nothing(rules: &str) -> Self {
        let (rules, text) = (rules.to_owned(), String::new());
        Self { version: None, commit: None, rules, text, refused: None }
    }

    /// The same with these tag rules.
    pub fn with_rules(self, rules: &str) -> Self {
        Self { rules: rules.to_owned(), ..self }
    }

    /// The same, but the registry refuses this tag to it for good.
    pub fn refused(self, tag: &'static str) -> Self {
        Self { refused: Some(tag), ..self }
    }

    /// The same with other bytes.
    pub fn rebuilt(self) -> Self {
        Self { text: format!("{} rebuilt", self.text), ..self }
    }
}

/// A request that the schedule released.
#[derive(Debug, Clone)]
pub struct ReleasedRequest {
    /// The index of its apply.
    pub actor: usize,
    /// `METHOD path`.
    pub line: String,
}

/// How an interleaving ended.
pub struct Ended {
    /// The outcome of each apply, and its error.
    pub runs: Vec<(Outcome, Vec<Diagnostic>)>,
    /// The digest that each publishes.
    pub digests: Vec<String>,
    /// The requests, in their order.
    pub steps: Vec<ReleasedRequest>,
    tags: std::collections::BTreeMap<String, String>,
    /// The digest of the content from before.
    pub before: String,
}

impl Ended {
    /// The digest that a tag names at the end.
    pub fn tag(&self, tag: &str) -> String {
        self.tags.get(tag).cloned().unwrap_or_else(|| "nothing".to_owned())
    }

    /// All errors, in one text.
    pub fn problems(&self) -> Vec<String> {
        self.runs.iter().flat_map(|(_, problems)| problems).map(|it| it.message.clone()).collect()
    }

    /// The schedule, for failure messages.
    pub fn schedule(&self) -> String {
        self.steps.iter().map(|step| format!("\n  {} {}", step.actor, step.line)).collect()
    }
}

/// The requests that wait, and the applies that have ended.
struct Waiting {
    queues: Vec<VecDeque<(String, oneshot::Sender<()>)>>,
    over: Vec<bool>,
}

/// The content of the actors' folders.
struct RaceFolders {
    folder: Folder,
    shas: Vec<String>,
    digests: Vec<String>,
}

fn prepare(actors: &[&Actor]) -> RaceFolders {
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
    RaceFolders { folder, shas, digests }
}

impl RaceFolders {
    fn session(&self, which: usize, actor: &Actor, door: &str) -> Session {
        let path = self.folder.path.join("repository");
        let config = format!(
            "version = 1\n[registries.r]\nurl = \"{door}\"\n{}\n[images.app]\nsource = \"oci:{which}\"\n",
            actor.rules
        );
        let file = path.join(format!("{which}.toml"));
        std::fs::write(&file, config).unwrap();
        let reference = match &actor.version {
            Some(version) => {
                self.folder.git_in("repository", &["tag", "--force", &format!("v{version}")]);
                format!("refs/tags/v{version}")
            }
            None => "refs/heads/main".to_owned(),
        };
        Session {
            config: Some(file),
            profile: None,
            set: Vec::new(),
            allow_outside: Vec::new(),
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

/// The requests that the schedule orders.
#[derive(Clone, Copy)]
pub struct Gated {
    /// Orders only the requests of an apply after its first request like this; empty: all requests.
    pub from: &'static str,
    /// A part of the path, preceded by the method if it matters.
    pub parts: &'static [&'static str],
}

/// Whether `line` is a request like `part`.
fn is_like(line: &str, part: &str) -> bool {
    match part.split_once(' ') {
        Some((method, part)) => line.starts_with(&format!("{method} ")) && line.contains(part),
        None => line.contains(part),
    }
}

/// Runs `actors` at once after the content of `before` is published, once for every interleaving of the requests that are `gated`,
/// and returns the result of each.
///
/// All plans are made first, so that every apply meets the changes that the others made since.
pub fn explore(before: &Actor, actors: &[Actor], gated: Gated, check: impl FnMut(Ended)) {
    explore_some(before, actors, gated, None, check);
}

/// The same, but for only as many interleavings as `sampled` says, chosen pseudo-randomly with a fixed seed.
pub fn explore_some(
    before: &Actor,
    actors: &[Actor],
    gated: Gated,
    sampled: Option<usize>,
    mut check: impl FnMut(Ended),
) {
    let all: Vec<&Actor> = actors.iter().chain([before]).collect();
    let world = prepare(&all);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = RaceFixture::new(&world, before, actors).await;
        // Each choice with the number of its options: counted up like a number, from the right.
        let mut choices: Vec<(usize, usize)> = Vec::new();
        if let Some(count) = sampled {
            // A linear congruential generator (Knuth, MMIX) is sufficient.
            let mut state: u64 = 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::try_from(state >> 33).unwrap_or_default()
            };
            for _ in 0..count {
                choices = (0..200).map(|_| (next(), usize::MAX)).collect();
                if let Some(ended) = stage.run(gated, &mut choices).await {
                    check(ended);
                }
            }
            return;
        }
        loop {
            if let Some(ended) = stage.run(gated, &mut choices).await {
                check(ended);
            }
            while choices.last().is_some_and(|(taken, of)| taken + 1 == *of) {
                choices.pop();
            }
            match choices.last_mut() {
                Some((taken, _)) => *taken += 1,
                None => return,
            }
        }
    });
}

/// A registry with an address for each apply, and their plans, all made for the same content.
struct RaceFixture {
    registry: TestRegistry,
    content: RegistryContent,
    doors: Vec<String>,
    planned: Vec<(Run, Plan)>,
    digests: Vec<String>,
    refused: Vec<Option<&'static str>>,
}

impl RaceFixture {
    async fn new(world: &RaceFolders, before: &Actor, actors: &[Actor]) -> Self {
        let registry = TestRegistry::start(TestRegistryOptions::default()).await;
        let start =
            |session: &Session| Run::new(session, 4, Arc::new(SilentReporter)).expect("a configuration");
        if before.version.is_some() || before.commit.is_some() {
            let mut run = start(&world.session(actors.len(), before, &registry.host()));
            let plan = run.plan(&[]).await.expect("a plan");
            let (_sender, cancel) = watch::channel(false);
            let (_, problems) = run.apply(&plan, cancel).await;
            assert_eq!(problems, []);
        }
        let content = registry.content().clone();
        let (mut doors, mut planned) = (Vec::new(), Vec::new());
        for (which, actor) in actors.iter().enumerate() {
            let door = registry.door().await;
            let mut run = start(&world.session(which, actor, &door));
            let plan = run.plan(&[]).await.expect("a plan");
            doors.push(door);
            planned.push((run, plan));
        }
        let refused = actors.iter().map(|actor| actor.refused).collect();
        Self { registry, content, doors, planned, digests: world.digests.clone(), refused }
    }

    async fn run(&self, gated: Gated, choices: &mut Vec<(usize, usize)>) -> Option<Ended> {
        *self.registry.content() = self.content.clone();
        self.registry.forget_log();
        self.registry.forget_script();
        for (door, refused) in self.doors.iter().zip(&self.refused) {
            let Some(tag) = refused else { continue };
            let refusal = Fault::Answer(400, Vec::new(), Vec::new());
            self.registry.on_door(door, "PUT", &format!("/manifests/{tag}"), u32::MAX, refusal);
        }
        let count = self.planned.len();
        let queues = (0..count).map(|_| VecDeque::new()).collect();
        let waiting = Arc::new(Mutex::new(Waiting { queues, over: vec![false; count] }));
        let changed = Arc::new(Notify::new());
        self.registry.hold(gate(gated, self.doors.clone(), waiting.clone(), changed.clone()));
        let runs = self.planned.iter().enumerate().map(|(which, (run, plan))| {
            let (waiting, changed) = (&waiting, &changed);
            async move {
                let (_sender, cancel) = watch::channel(false);
                let ended = run.apply(plan, cancel).await;
                waiting.lock().unwrap().over[which] = true;
                changed.notify_one();
                ended
            }
        });
        let (runs, (steps, is_new)) = tokio::join!(join_all(runs), conduct(&waiting, &changed, choices));
        let content = self.registry.content();
        let tags = content.tags.iter().map(|((_, tag), digest)| (tag.clone(), digest.clone())).collect();
        let mut digests = self.digests.clone();
        let before = digests.pop().unwrap_or_default();
        is_new.then_some(Ended { runs, digests, steps, tags, before })
    }
}

fn gate(gated: Gated, doors: Vec<String>, waiting: Arc<Mutex<Waiting>>, changed: Arc<Notify>) -> Gate {
    let begun = Mutex::new(vec![gated.from.is_empty(); doors.len()]);
    Arc::new(move |request| {
        let line = request.line();
        let actor = doors.iter().position(|door| *door == request.door);
        let holds = |actor: &usize| {
            let mut begun = begun.lock().unwrap();
            begun[*actor] |= is_like(&line, gated.from);
            begun[*actor] && gated.parts.iter().any(|part| is_like(&line, part))
        };
        let Some(actor) = actor.filter(holds) else { return Box::pin(std::future::ready(())) };
        let (sender, receiver) = oneshot::channel();
        waiting.lock().unwrap().queues[actor].push_back((line, sender));
        changed.notify_one();
        Box::pin(async move {
            let _ = receiver.await;
        })
    })
}

/// Whether the order of two requests matters: one puts content that the other reads or puts.
fn depend(one: &str, other: &str) -> bool {
    let path = |line: &str| line.split_once(' ').map(|(_, path)| path.to_owned());
    let puts = |line: &str| line.starts_with("PUT ");
    let lists = |line: &str| line.contains("/tags/list");
    (puts(one) || puts(other)) && (path(one) == path(other) || lists(one) || lists(other))
}

/// Releases one request after the other: each time all running applies wait, by the next choice. Returns the requests, and
/// whether the interleaving is new: if two differ only in the order of requests that do not depend on each other, the second
/// is not. (The requests that were tried first sleep until a request that they depend on happens: Godefroid, "Partial-
/// Order Methods for the Verification of Concurrent Systems", 1996, "sleep sets".)
async fn conduct(
    waiting: &Mutex<Waiting>,
    changed: &Notify,
    choices: &mut Vec<(usize, usize)>,
) -> (Vec<ReleasedRequest>, bool) {
    let (mut steps, mut asleep, mut is_new) = (Vec::new(), Vec::<usize>::new(), true);
    loop {
        let next = {
            let mut waiting = waiting.lock().unwrap();
            if waiting.over.iter().all(|over| *over) {
                return (steps, is_new);
            }
            let live: Vec<usize> = (0..waiting.over.len()).filter(|actor| !waiting.over[*actor]).collect();
            let ready = live.iter().all(|actor| !waiting.queues[*actor].is_empty());
            ready.then(|| {
                let position = steps.len();
                let awake: Vec<usize> = live.iter().copied().filter(|it| !asleep.contains(it)).collect();
                is_new &= !awake.is_empty();
                let eligible = if awake.is_empty() { &live[..1] } else { &awake[..] };
                if position == choices.len() {
                    choices.push((0, eligible.len()));
                }
                // An apply may send its parallel requests in another order: then a choice is missing, or occurs twice.
                let (taken, of) = choices[position];
                let taken =
                    if of == usize::MAX { taken % eligible.len() } else { taken.min(eligible.len() - 1) };
                let actor = eligible[taken];
                if of != usize::MAX {
                    asleep.extend(&eligible[..taken]);
                }
                let (line, sender) = waiting.queues[actor].pop_front().expect("a request");
                asleep.retain(|it| *it != actor && !depend(&line, &waiting.queues[*it][0].0));
                steps.push(ReleasedRequest { actor, line });
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
