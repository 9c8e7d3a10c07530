//! Opens a declared chart as a source, and checks a chart without publishing it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::contents::{Contents, Written};
use super::error::ChartError;
use super::finding::{Concern, Finding, Findings, Severity};
use super::load::{Chart, Place, load};
use super::unpack::{MAX_ARCHIVE, unpack};
use super::version::Version;
use super::{edit, manifest, package, provenance, tree, vendored};
use crate::ChartSpec;
use oci_content::{
    BlobReader, PositionedFile, Section, Source, SourceError, Surroundings, VerifyingReader, manifest_reader,
    read_bounded,
};
use oci_registry::{Descriptor, Digest, Digester, RawManifest};

/// The largest provenance file, in bytes.
const MAX_PROVENANCE: u64 = 1024 * 1024;
/// The environment variable that gives the time if no commit does (reproducible-builds.org, "`SOURCE_DATE_EPOCH`").
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// A chart, as it is sent.
struct ChartSource {
    root: RawManifest,
    blobs: HashMap<Digest, Blob>,
    shown: String,
}

#[derive(Clone)]
enum Blob {
    Bytes(Arc<Vec<u8>>),
    Packaged(Arc<Written>),
    File(Arc<PositionedFile>),
}

/// The location of a declared chart.
struct Location {
    path: PathBuf,
    /// The path relative to the working directory.
    shown: String,
    packaged: bool,
}

/// Opens a declared chart: packages a directory, or reads a package. Returns the source, and the declaration with the time pinned.
pub fn open(
    spec: &ChartSpec,
    surroundings: &Surroundings,
) -> Result<(Arc<dyn Source>, ChartSpec), ChartError> {
    let location = Location::find(&surroundings.folder, Path::new(""), &spec.path)?;
    let epoch = || (surroundings.environment)(EPOCH)?.trim().parse().ok();
    let spec = ChartSpec { created: spec.created.or_else(epoch), ..spec.clone() };
    let mut findings = Findings::default();
    let source = if location.packaged {
        ready(&location, &spec, &mut findings)
    } else {
        directory(&location, &surroundings.folder, &spec, &mut findings)
    };
    match source {
        Ok(Some(source)) if !findings.any_error() => Ok((Arc::new(source), spec)),
        Err(error) => Err(error.into()),
        _ => Err(ChartError::invalid(location.shown, findings.into_list())),
    }
}

/// Returns everything that is wrong with the chart at `path`, a directory or a package, without using the network. Dependencies that
/// are not under `charts/` are warnings here, because they may be fetched only just before the chart is published. `folder` is
/// the folder of `publish.toml`, and `shown` is its path relative to the working directory. `wanted` is the name that the chart must have:
/// the last part of its repository.
pub fn check(
    folder: &Path,
    shown: &Path,
    path: &str,
    wanted: Option<&str>,
) -> Result<Vec<Finding>, ChartError> {
    let location = Location::find(folder, shown, path)?;
    let mut findings = Findings::default();
    if let Some((chart, _, _)) = read(&location, folder, &mut findings)? {
        named(&chart, wanted, &mut findings);
        if !location.packaged {
            vendored::check(&chart, &mut findings);
        }
    }
    let mut found = findings.into_list();
    for finding in &mut found {
        if finding.concern == Concern::Dependencies {
            finding.severity = Severity::Warning;
        }
    }
    Ok(found)
}

/// Returns the name of the chart at `path`, if it can be read.
pub fn name(folder: &Path, path: &str) -> Option<String> {
    let location = Location::find(folder, Path::new(""), path).ok()?;
    let read = read(&location, folder, &mut Findings::default()).ok()?;
    read.map(|(chart, _, _)| chart.metadata.name).filter(|name| !name.is_empty())
}

impl Location {
    fn find(folder: &Path, shown: &Path, path: &str) -> Result<Self, ChartError> {
        let joined = folder.join(path);
        let shown: PathBuf = shown.join(path).components().filter(|it| *it != Component::CurDir).collect();
        let shown = shown.display().to_string();
        match fs::metadata(&joined) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { path: joined, shown, packaged: false }),
            Ok(metadata) if metadata.is_file() => Ok(Self { path: joined, shown, packaged: true }),
            Ok(_) => Err(ChartError::Source(SourceError::Unsupported {
                reason: format!("`{shown}` is neither a directory nor a file"),
                help: "name the directory of a chart, or a packaged chart (`.tgz`)".to_owned(),
            })),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(ChartError::Missing { path: shown })
            }
            Err(error) => Err(SourceError::io(format!("`{shown}`"), error).into()),
        }
    }
}

/// A chart, the bytes of its files, and for a package its digest and size.
type Loaded = (Chart, Contents, Option<(Digest, u64)>);

fn read(location: &Location, folder: &Path, findings: &mut Findings) -> Result<Option<Loaded>, SourceError> {
    let mut contents = Contents::new();
    let shown = location.shown.as_str();
    if location.packaged {
        let unreadable = |error| SourceError::io(format!("`{shown}`"), error);
        let file = File::open(&location.path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() > MAX_ARCHIVE {
            let help = "check that it is a packaged chart";
            findings.error(None, format!("`{shown}` is larger than any chart that Helm loads"), help);
            return Ok(None);
        }
        let mut file = Digesting { inner: file, digester: Digester::sha256(), size: 0 };
        let unpacked = match unpack(&mut file, &mut contents) {
            Ok(unpacked) => unpacked,
            Err(error) => {
                let help = "package the chart again (`helm package`), or name its directory; if it was copied here, \
                            compare checksums";
                findings.error(None, format!("`{shown}` {}", error.reason), help);
                return Ok(None);
            }
        };
        let inner = format!("{shown}/{}", unpacked.folder);
        let chart = load(unpacked.files, Place { shown: &inner, folder: None }, &mut contents, findings);
        return Ok(chart.map(|chart| (chart, contents, Some((file.digester.finish(), file.size)))));
    }
    let files = tree::read(&location.path, shown, folder, &mut contents, findings);
    if files.is_empty() && findings.any_error() {
        return Ok(None);
    }
    let at = Place { shown, folder: Some(&location.path) };
    Ok(load(files, at, &mut contents, findings).map(|chart| (chart, contents, None)))
}

/// Passes bytes on and computes their digest.
struct Digesting<R> {
    inner: R,
    digester: Digester,
    size: u64,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digester.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }
}

/// Checks that the chart has the name of its repository, because Helm pulls `oci://…/NAME`.
fn named(chart: &Chart, wanted: Option<&str>, findings: &mut Findings) {
    let name = &chart.metadata.name;
    if let Some(wanted) = wanted.filter(|wanted| wanted != name && !name.is_empty()) {
        let message = format!("the chart is called `{name}`, but its repository ends in `{wanted}`");
        let help = format!("end `repository` in `{name}`: Helm pulls a chart by its name");
        findings.error(Some(chart.place_of("name")), message, &help);
    }
}

fn directory(
    location: &Location,
    folder: &Path,
    spec: &ChartSpec,
    findings: &mut Findings,
) -> Result<Option<ChartSource>, SourceError> {
    let Some((mut chart, mut contents, _)) = read(location, folder, findings)? else { return Ok(None) };
    named(&chart, Some(&spec.name), findings);
    vendored::check(&chart, findings);
    if Version::parse(&spec.version).is_none() {
        let message =
            format!("the chart cannot be published as `{}`, which is not a semantic version", spec.version);
        findings.error(
            None,
            message,
            "set the `version` of the chart in `publish.toml` to three numbers, such as `1.2.3`",
        );
    }
    if findings.any_error() {
        return Ok(None);
    }
    edit::set(&mut chart, &spec.version, spec.app_version.as_deref(), findings);
    if findings.any_error() {
        return Ok(None);
    }
    let modified = spec.created.and_then(|created| u64::try_from(created).ok()).unwrap_or_default();
    let packaged = package::package(&chart, &mut contents, modified)
        .map_err(|error| SourceError::io(format!("the files of `{}`", location.shown), error))?;
    let layer = Descriptor::new(manifest::CONTENT, packaged.digest, packaged.size);
    assemble(location, spec, &chart, vec![(layer, Blob::Packaged(packaged.bytes))]).map(Some)
}

fn ready(
    location: &Location,
    spec: &ChartSpec,
    findings: &mut Findings,
) -> Result<Option<ChartSource>, SourceError> {
    let Some((chart, _, Some((digest, size)))) = read(location, Path::new(""), findings)? else {
        return Ok(None);
    };
    named(&chart, Some(&spec.name), findings);
    let asked = [
        ("version", &chart.metadata.version, Some(&spec.version)),
        ("appVersion", &chart.metadata.app_version, spec.app_version.as_ref()),
    ];
    for (key, own, wanted) in asked {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != own) {
            let message = format!("the package has the `{key}` `{own}`, but `{wanted}` is to be published");
            let help = "a package is published as it is: package it with that version, or name the chart's directory, \
                        to have the version set";
            findings.error(Some(chart.place_of(key)), message, help);
        }
    }
    let layer = Descriptor::new(manifest::CONTENT, digest.clone(), size);
    let file = PositionedFile::open(location.path.clone())
        .map_err(|error| SourceError::io(format!("`{}`", location.shown), error))?;
    let mut layers = vec![(layer, Blob::File(Arc::new(file)))];
    if let Some(bytes) = proof(location, &digest, findings)? {
        let layer = Descriptor::new(manifest::PROVENANCE, Digest::of(&bytes), bytes.len() as u64);
        layers.push((layer, Blob::Bytes(Arc::new(bytes))));
    }
    if findings.any_error() {
        return Ok(None);
    }
    assemble(location, spec, &chart, layers).map(Some)
}

/// Returns the provenance file beside a package.
fn proof(
    location: &Location,
    digest: &Digest,
    findings: &mut Findings,
) -> Result<Option<Vec<u8>>, SourceError> {
    let shown = format!("{}.prov", location.shown);
    let mut path = location.path.clone().into_os_string();
    path.push(".prov");
    let unreadable = |error| SourceError::io(format!("`{shown}`"), error);
    match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(unreadable(io::Error::other("it is not a regular file"))),
    }
    let bytes = File::open(&path).and_then(|file| read_bounded(file, MAX_PROVENANCE)).map_err(unreadable)?;
    let name = location.path.file_name().unwrap_or_default().to_string_lossy();
    let checked = match std::str::from_utf8(&bytes) {
        Ok(text) => provenance::check(text, &name, digest),
        Err(_) => Err("is not UTF-8".to_owned()),
    };
    if let Err(reason) = checked {
        let help = "sign the package again (`helm package --sign`), or remove the file";
        findings.error(None, format!("`{shown}` {reason}"), help);
    }
    Ok(Some(bytes))
}

/// Assembles the content to send: a manifest with the configuration and the layers.
fn assemble(
    location: &Location,
    spec: &ChartSpec,
    chart: &Chart,
    layers: Vec<(Descriptor, Blob)>,
) -> Result<ChartSource, SourceError> {
    let malformed =
        |error: serde_json::Error| SourceError::malformed(format!("`{}`", location.shown), error.to_string());
    let created = spec.created.and_then(|created| jiff::Timestamp::from_second(created).ok());
    let created = created.map(|created| created.to_string());
    let mut annotations = manifest::annotations(&chart.metadata, created.as_deref());
    annotations.extend(spec.annotations.clone());
    let (config, bytes) = manifest::config(&chart.metadata).map_err(malformed)?;
    let mut blobs = HashMap::from([(config.digest.clone(), Blob::Bytes(Arc::new(bytes)))]);
    let mut descriptors = Vec::new();
    for (layer, blob) in layers {
        blobs.insert(layer.digest.clone(), blob);
        descriptors.push(layer);
    }
    let root = manifest::manifest(config, descriptors, annotations).map_err(malformed)?;
    Ok(ChartSource { root, blobs, shown: location.shown.clone() })
}

impl Source for ChartSource {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        let place = format!("chart `{}`", self.shown);
        Ok(match self.blobs.get(&blob.digest).cloned() {
            Some(Blob::Bytes(bytes)) => VerifyingReader::boxed(Cursor::new(Shared(bytes)), blob, place),
            Some(Blob::Packaged(written)) => {
                VerifyingReader::boxed(WrittenReader { written, position: 0 }, blob, place)
            }
            Some(Blob::File(file)) => {
                let length = file.length();
                VerifyingReader::boxed(Section::new(file, 0, length), blob, place)
            }
            None => return Err(SourceError::MissingBlob { digest: blob.digest.clone(), place }),
        })
    }
}

/// Bytes that several readers share.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct WrittenReader {
    written: Arc<Written>,
    position: u64,
}

impl Read for WrittenReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.written.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
