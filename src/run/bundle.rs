//! A plan and every file that it needs, in one tar file: `plan --bundle`, and `apply` of that file anywhere.
//!
//! A bundle is `plan.json`, and an OCI image layout with exactly the content that the plan publishes: charts packaged, artifacts and
//! images as their manifests and blobs. It is read to its end before anything in it is used: each blob has the digest that its
//! name gives, the plan needs each of them, and nothing else is there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::package::replace;
use super::placed::{folder_of, rebase};
use super::session::{Result, Session};
use super::{Run, path};
use crate::content::{Published, publishable};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::ContentSpec;
use crate::model::plan::Plan;
use crate::saved;
use oci_content::{
    EntryKind, ExportedContent, ImageSpec, SourceSpec, Surroundings, TarItem, TarReader, TransportSpec,
};
use oci_registry::Digest;

/// The name of the bundle in its own plan. The file may have any name.
const ITSELF: &str = "bundle.tar";
/// The name of the plan.
const PLAN: &str = "plan.json";
/// The largest plan or index that is read, in bytes.
const MAX_DOCUMENT: u64 = 64 * 1024 * 1024;
/// The most files of a bundle.
const MAX_FILES: usize = 200_000;

/// A bundle that was read to its end.
pub struct Bundle {
    /// The plan, whose content is read from the bundle.
    pub plan: Plan,
    /// The digest of the file, which approvals are about.
    pub digest: Digest,
    /// The folder of the file, from which the content may be read.
    pub folder: PathBuf,
}

/// Whether `file` begins as a bundle does, and not as a document.
pub fn is_bundle(file: &Path) -> bool {
    // A pipe can be read only once.
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return false;
    }
    let mut start = [0; 512];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && oci_content::is_tar(&start)
}

impl Run {
    /// Writes the plan that this run made, and all content that it publishes from files or engines, to `file`. Returns the digest
    /// of the file, which `apply --expect` takes.
    ///
    /// # Errors
    ///
    /// Content that cannot be read, and a file that cannot be written.
    pub fn save_bundle(&self, plan: &Plan, file: &Path) -> Result<Digest> {
        let mut plan = plan.clone();
        let mut contents: Vec<(String, &Published)> = Vec::new();
        let observed = self.observed.as_ref();
        for planned in &mut plan.repositories {
            let published = observed.and_then(|observed| observed.repositories.get(&planned.address));
            let (Some(content), Some(published)) = (&mut planned.content, published) else { continue };
            let published = published.desired.published.as_ref();
            if is_of_registries(&content.source) {
                continue;
            }
            let name = name_of(&content.root.digest);
            let mut spec = ImageSpec::of(SourceSpec::One(itself(ITSELF, &name)));
            spec.referrers = !content.referrers.is_empty();
            content.source = ContentSpec::Image(spec);
            if !contents.iter().any(|(known, _)| *known == name) {
                contents.push((name, published));
            }
        }
        rebase(&mut plan, &self.session.working_folder, &folder_of(&self.session, file));
        let exported: Vec<ExportedContent<'_>> = contents
            .iter()
            .map(|(name, published)| ExportedContent {
                source: published.source.as_ref(),
                content: &published.content,
                referrers: &published.referrers,
                name: Some(name),
            })
            .collect();
        let text = saved::to_json(&plan);
        let target = self.session.working_folder.join(file);
        let (_, sha256) = tokio::task::block_in_place(|| {
            replace(&target, |output| {
                oci_content::write_layout(&[(PLAN, text.as_bytes())], &exported, output)
            })
        })
        .map_err(|error| vec![super::package::diagnostic(file, &error)])?;
        format!("sha256:{sha256}")
            .parse::<Digest>()
            .map_err(|_| vec![refused(file, "its digest cannot be computed")])
    }
}

/// Reads a bundle to its end, and checks it. Refuses a file that does not have the digest `expected`.
///
/// # Errors
///
/// The first problem that is found. Nothing in the bundle is used then.
pub fn load_bundle(session: &Session, file: &Path, expected: Option<&Digest>) -> Result<Bundle> {
    let full = session.working_folder.join(file);
    let opened =
        File::open(&full).map_err(|cause| vec![refused(file, &format!("it cannot be read: {cause}"))])?;
    let mut input = Hashed { input: BufReader::with_capacity(1 << 20, opened), sha256: Sha256::new() };
    let read = BundleFiles::read(&mut input);
    let found: Option<Digest> = format!("sha256:{}", hex::encode(input.sha256.finalize())).parse().ok();
    // A wrong digest is reported before any mistake in the plan, because nobody approved such a bundle.
    if let (Some(expected), Ok(_), Some(found)) = (expected, &read, &found)
        && expected != found
    {
        let message =
            format!("`{}` is not the expected plan: its digest is {found}, not {expected}", file.display());
        let help = "apply the file that was approved, or make a new plan and approve that";
        return Err(vec![Diagnostic::error(Code::PlanFile, message).help(help)]);
    }
    let BundleFiles { plan, blobs } = read.map_err(|reason| vec![refused(file, &reason)])?;
    let mut plan: Plan = saved::parse(file, &plan).map_err(|error| vec![error.to_diagnostic()])?;
    rebase(&mut plan, &folder_of(session, file), &session.working_folder);
    let folder = path::normal(&session.working_folder.join(&plan.folder));
    // On another machine, the folder of the plan may not exist.
    let full = path::normal(&full);
    let here = if folder.is_dir() { path::relative(&folder, &full) } else { full.clone() };
    let here = here.display().to_string();
    if here.contains(':') {
        return Err(vec![refused(file, "its path contains `:`, so nothing in it can be named: move it")]);
    }
    let mut needed = BTreeSet::new();
    let parent = full.parent().map(Path::to_owned).unwrap_or_default();
    let surroundings = Surroundings {
        confines: oci_content::Confines::within(&parent, std::iter::empty()),
        ..Surroundings::local(&folder)
    };
    for planned in &mut plan.repositories {
        let Some(content) = &mut planned.content else { continue };
        if is_of_registries(&content.source) {
            continue;
        }
        let name = name_of(&content.root.digest);
        let ContentSpec::Image(spec) = &mut content.source else {
            return Err(vec![refused(file, &outside(&planned.address))]);
        };
        if spec.source != SourceSpec::One(itself(ITSELF, &name)) {
            return Err(vec![refused(file, &outside(&planned.address))]);
        }
        spec.source = SourceSpec::One(itself(&here, &name));
        let published =
            publishable(&content.source, &surroundings).map_err(|error| error.to_diagnostics())?;
        let all = std::iter::once(&published.content).chain(published.referrers.iter().map(|it| &it.content));
        for content in all {
            needed.extend(content.manifests.iter().map(|it| it.digest().clone()));
            needed.extend(content.blobs.iter().map(|it| it.digest.clone()));
        }
    }
    if let Some(extra) = blobs.iter().find(|digest| !needed.contains(*digest)) {
        return Err(vec![refused(file, &format!("it holds {extra}, which its plan does not need"))]);
    }
    if let Some(lacking) = needed.iter().find(|digest| !blobs.contains(*digest)) {
        return Err(vec![refused(file, &format!("it lacks {lacking}, which its plan needs"))]);
    }
    let digest = found.ok_or_else(|| vec![refused(file, "its digest cannot be computed")])?;
    Ok(Bundle { plan, digest, folder: parent })
}

fn outside(address: &str) -> String {
    format!("its plan takes `{address}` from somewhere else")
}

fn refused(file: &Path, reason: &str) -> Diagnostic {
    let message = format!("`{}` is not a bundle that can be applied: {reason}", file.display());
    Diagnostic::error(Code::PlanFile, message)
        .help("make it again with `brokkr-publish plan --bundle FILE`; nothing in it was used")
}

/// The name of a root in the layout.
fn name_of(root: &Digest) -> String {
    format!("root-{}", root.hex())
}

fn itself(path: &str, name: &str) -> TransportSpec {
    TransportSpec::OciArchive { path: path.to_owned(), reference: Some(name.to_owned()) }
}

/// Whether the content comes only from registries, which are as far from another machine.
fn is_of_registries(spec: &ContentSpec) -> bool {
    let ContentSpec::Image(image) = spec else { return false };
    let transports = image.source.transports();
    !matches!(image.source, SourceSpec::Digests(_))
        && transports.iter().all(|transport| matches!(transport, TransportSpec::Docker(_)))
}

/// The files of a bundle, after each was read and compared with its name.
struct BundleFiles {
    plan: Vec<u8>,
    blobs: BTreeSet<Digest>,
}

impl BundleFiles {
    /// Reads everything. Returns the reason why it is refused.
    fn read(input: &mut impl Read) -> std::result::Result<Self, String> {
        let mut reader = TarReader::new(4096);
        let (mut plan, mut names, mut blobs) = (None, BTreeSet::new(), BTreeSet::new());
        while let Some(item) = reader.next_item(input).map_err(|error| error.to_string())? {
            let TarItem::Entry(entry) = item else {
                return Err("it has records about other entries".to_owned());
            };
            let shown = String::from_utf8_lossy(&entry.name).chars().take(100).collect::<String>();
            let shown = shown.escape_debug();
            if entry.kind != EntryKind::File || entry.is_sparse || !entry.link.is_empty() {
                return Err(format!("`{shown}` is not a plain file"));
            }
            let name = String::from_utf8(entry.name.clone())
                .map_err(|_| format!("`{shown}` does not belong to it"))?;
            if !names.insert(name.clone()) {
                return Err(format!("`{shown}` occurs twice"));
            }
            if names.len() > MAX_FILES {
                return Err(format!("it has more than {MAX_FILES} files"));
            }
            match name.as_str() {
                PLAN => plan = Some(document(input, entry.size, PLAN)?),
                "oci-layout" | "index.json" => drop(document(input, entry.size, &name)?),
                _ => {
                    let digest =
                        blob_name(&name).ok_or_else(|| format!("`{shown}` does not belong to it"))?;
                    let found = hashed(input, entry.size)
                        .map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
                    if found != digest.hex() {
                        return Err(format!("`{shown}` has the digest sha256:{found}"));
                    }
                    blobs.insert(digest);
                }
            }
            skip(input, entry.padding()).map_err(|error| format!("it is cut off: {error}"))?;
        }
        if !reader.is_complete() {
            return Err("it is cut off: it has no end marker".to_owned());
        }
        rest_is_empty(input)?;
        for name in ["oci-layout", "index.json"] {
            if !names.contains(name) {
                return Err(format!("it has no `{name}`"));
            }
        }
        let plan = plan.ok_or_else(|| format!("it has no `{PLAN}`"))?;
        Ok(Self { plan, blobs })
    }
}

/// The digest that the name of a blob gives, if it is one.
fn blob_name(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix("blobs/sha256/")?;
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex { format!("sha256:{hex}").parse().ok() } else { None }
}

fn document(input: &mut impl Read, size: u64, name: &str) -> std::result::Result<Vec<u8>, String> {
    if size > MAX_DOCUMENT {
        return Err(format!("`{name}` has {size} bytes, more than {MAX_DOCUMENT}"));
    }
    let mut bytes = Vec::new();
    let read = input.take(size).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if read as u64 == size { Ok(bytes) } else { Err(format!("it ends in `{name}`")) }
}

/// Returns the SHA-256 of the next `size` bytes, in hexadecimal digits.
fn hashed(input: &mut impl Read, size: u64) -> io::Result<String> {
    let mut sha256 = Sha256::new();
    let (mut left, mut buffer) = (size, vec![0; 1 << 16]);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = input.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"));
        }
        sha256.update(buffer.get(..count).unwrap_or_default());
        left -= count as u64;
    }
    Ok(hex::encode(sha256.finalize()))
}

fn skip(input: &mut impl Read, size: u64) -> io::Result<()> {
    let skipped = io::copy(&mut input.take(size), &mut io::sink())?;
    if skipped == size {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"))
    }
}

/// Refuses bytes after the end marker.
fn rest_is_empty(input: &mut impl Read) -> std::result::Result<(), String> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = input.read(&mut buffer).map_err(|error| error.to_string())?;
        if count == 0 {
            return Ok(());
        }
        if buffer.iter().take(count).any(|byte| *byte != 0) {
            return Err("something follows its end".to_owned());
        }
    }
}

/// A reader that hashes what it reads.
struct Hashed<R> {
    input: R,
    sha256: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.sha256.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
