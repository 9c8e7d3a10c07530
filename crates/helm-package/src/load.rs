//! Makes a chart of files, the way Helm does (`pkg/chart/loader/load.go`): decides what each file is, and loads the charts under
//! `charts/`, packaged or not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::chart_file::{ChartFile, FileSpan};
use crate::dependency::{Dependency, read_dependencies};
use crate::fields::FieldReader;
use crate::file_store::{ChartFiles, FileStore, StoredFile};
use crate::finding::ChartFindings;
use crate::helm_yaml::{HelmYaml, HelmYamlError};
use crate::hidden::HiddenFiles;
use crate::lock::ChartLock;
use crate::metadata::{CHART_YAML, ChartMetadata};
use crate::unpack::unpack;
use crate::yaml::check_mappings;

/// How deep charts may be nested.
const MAX_DEPTH: usize = 16;
/// The largest `Chart.yaml` or lock, in bytes.
const MAX_DESCRIPTION: u64 = 1024 * 1024;
/// The schema of the values.
const SCHEMA: &str = "values.schema.json";

/// A chart, with the places of its values.
pub(crate) struct LoadedChart {
    pub(crate) metadata: ChartMetadata,
    /// The text of `Chart.yaml`, and its values with their places.
    pub(crate) text: String,
    pub(crate) yaml: HelmYaml,
    pub(crate) lock: Option<ChartLock>,
    /// Its files, except `Chart.yaml` and the files under `charts/`.
    pub(crate) files: ChartFiles,
    /// The charts under `charts/`, by name.
    pub(crate) charts: BTreeMap<String, LoadedChart>,
    /// The name of the chart in messages.
    pub(crate) shown: String,
}

/// The origin of a chart: its name in messages, and its directory.
#[derive(Clone, Copy)]
pub(crate) struct ChartOrigin<'a> {
    /// The name of the chart in messages.
    pub(crate) shown: &'a str,
    /// The directory of the chart, if its files are files on disk.
    pub(crate) folder: Option<&'a Path>,
}

impl ChartOrigin<'_> {
    fn file(&self, name: &str) -> (String, Option<PathBuf>) {
        (format!("{}/{name}", self.shown), self.folder.map(|folder| folder.join(name)))
    }
}

impl LoadedChart {
    /// Returns the place of the value of a key of `Chart.yaml`, or the beginning of the file.
    pub(crate) fn span_of(&self, key: &str) -> FileSpan {
        let value = self.yaml.root().and_then(|root| root.get(key));
        value.map_or_else(|| self.yaml.start(), |value| value.span())
    }

    /// Returns the names of the charts under `charts/` that are not listed as dependencies.
    pub(crate) fn unlisted_charts(&self) -> Vec<&str> {
        let listed: BTreeSet<&str> = self.metadata.dependencies.iter().map(|it| it.name.as_str()).collect();
        self.charts.keys().map(String::as_str).filter(|name| !listed.contains(name)).collect()
    }
}

/// Loads a chart from files, of which `.helmignore` leaves out some. `None` if nothing can be said of the chart beyond the findings.
pub(crate) fn load_chart(
    files: ChartFiles,
    hidden: &HiddenFiles,
    at: ChartOrigin<'_>,
    contents: &mut FileStore,
    findings: &mut ChartFindings,
) -> Option<LoadedChart> {
    ChartLoader { hidden, contents, findings }.load(files, at, 0)
}

struct ChartLoader<'a> {
    hidden: &'a HiddenFiles,
    contents: &'a mut FileStore,
    findings: &'a mut ChartFindings,
}

impl ChartLoader<'_> {
    fn load(&mut self, files: ChartFiles, at: ChartOrigin<'_>, depth: usize) -> Option<LoadedChart> {
        let Some(file) = files.get(CHART_YAML).copied() else {
            let shown = format!("{}/{CHART_YAML}", at.shown);
            if self.hidden.report(&shown, ", so Helm finds no chart", self.findings) {
                return None;
            }
            let message = format!("`{}` has no `{CHART_YAML}`, so it is not a chart", at.shown);
            self.findings.error(
                None,
                message,
                "name the directory that holds `Chart.yaml`; `helm create` makes one",
            );
            return None;
        };
        let (text, yaml) = self.read_yaml(file, CHART_YAML, at)?;
        let mut metadata = ChartMetadata::read(&yaml, self.findings);
        self.check_read_whole(&yaml, CHART_YAML);
        let (mut own, mut charts) = (ChartFiles::new(), BTreeMap::<String, ChartFiles>::new());
        for (name, file) in files {
            match name.strip_prefix("charts/").filter(|_| !has_extension(&name, "prov")) {
                _ if name == CHART_YAML => {}
                None => drop(own.insert(name, file)),
                // Helm skips names that begin with these characters.
                Some(inner) if inner.starts_with(['_', '.']) => {}
                Some(inner) => {
                    let (chart, rest) = inner.split_once('/').unwrap_or((inner, ""));
                    charts.entry(chart.to_owned()).or_default().insert(rest.to_owned(), file);
                }
            }
        }
        self.read_requirements(&mut metadata, &mut own, at, depth);
        let lock = self.read_lock(&metadata, &mut own, at);
        self.check_values(&own, at);
        let charts = self.load_charts(charts, at, depth);
        Some(LoadedChart { metadata, text, yaml, lock, files: own, charts, shown: at.shown.to_owned() })
    }

    /// Returns the text of a file, or `None` if it is not text.
    fn read_text(&mut self, file: StoredFile, name: &str, at: ChartOrigin<'_>) -> Option<String> {
        let shown = at.file(name).0;
        let message = match self.contents.read(file).map(String::from_utf8) {
            Ok(Ok(text)) => return Some(text),
            Ok(Err(_)) => format!("`{shown}` is not UTF-8"),
            Err(error) => format!("`{shown}` cannot be read: {error}"),
        };
        self.findings.error(None, message, "save it as UTF-8 text");
        None
    }

    fn read_yaml(&mut self, file: StoredFile, name: &str, at: ChartOrigin<'_>) -> Option<(String, HelmYaml)> {
        let (shown, path) = at.file(name);
        if file.length > MAX_DESCRIPTION {
            self.findings.error(
                None,
                format!("`{shown}` is larger than 1 MiB"),
                "remove what does not belong there",
            );
            return None;
        }
        let text = self.read_text(file, name, at)?;
        match HelmYaml::parse(&shown, path, &text) {
            Ok(yaml) => Some((text, yaml)),
            Err(error) => {
                self.report_syntax(name, error);
                None
            }
        }
    }

    fn report_syntax(&mut self, name: &str, error: HelmYamlError) {
        let message = format!("`{name}` cannot be read as YAML: {}", error.message);
        self.findings.error(Some(error.span), message, "correct the text there, or just before it");
    }

    /// Reads `requirements.yaml`, which holds the dependencies of a Helm 2 chart.
    fn read_requirements(
        &mut self,
        metadata: &mut ChartMetadata,
        own: &mut ChartFiles,
        at: ChartOrigin<'_>,
        depth: usize,
    ) {
        const NAME: &str = "requirements.yaml";
        let Some(file) = own.get(NAME).copied() else { return };
        if !metadata.is_v1() {
            self.leave_out(NAME, own, at, depth);
            return;
        }
        let Some((_, yaml)) = self.read_yaml(file, NAME, at) else { return };
        let Some(root) = yaml.root() else { return };
        let mut fields = FieldReader { findings: self.findings, file: NAME };
        let mut found: Option<Vec<Dependency>> = None;
        for entry in fields.entries(NAME, &root, &["dependencies"]) {
            if entry.key == "dependencies" {
                found = Some(read_dependencies(&mut fields, &entry.value));
            }
        }
        metadata.dependencies = found.unwrap_or_default();
        self.check_read_whole(&yaml, NAME);
    }

    /// Reports an error if not all of a file was read.
    fn check_read_whole(&mut self, yaml: &HelmYaml, name: &str) {
        if yaml.is_too_much() {
            let message = format!("the aliases in `{name}` expand to more than is read");
            self.findings.error(Some(yaml.start()), message, "write the values instead of aliases");
        }
    }

    /// Leaves out a Helm 2 file in a chart with `apiVersion: v2`: an error in the published chart, silent in a dependency, as in Helm.
    fn leave_out(&mut self, name: &str, own: &mut ChartFiles, at: ChartOrigin<'_>, depth: usize) {
        own.remove(name);
        if depth == 0 {
            let message = format!("`{}` is not read in a chart with `apiVersion: v2`", at.file(name).0);
            let help =
                "move the dependencies into `Chart.yaml`, run `helm dependency update`, and remove the file";
            self.findings.error(None, message, help);
        }
    }

    fn read_lock(
        &mut self,
        metadata: &ChartMetadata,
        own: &mut ChartFiles,
        at: ChartOrigin<'_>,
    ) -> Option<ChartLock> {
        const NOW: &str = "Chart.lock";
        const HELM_2: &str = "requirements.lock";
        let (name, other) = if metadata.is_v1() { (HELM_2, NOW) } else { (NOW, HELM_2) };
        let found = own.get(name).copied().map(|file| (name, file));
        // Helm reads either lock, but packages only the one that belongs to the chart's `apiVersion`.
        let other = own.remove(other).map(|file| (other, file));
        let (name, file) = found.or(other)?;
        let (_, yaml) = self.read_yaml(file, name, at)?;
        let lock = ChartLock::read(&yaml, name, self.findings);
        self.check_read_whole(&yaml, name);
        Some(lock)
    }

    /// Checks `values.yaml` and its schema.
    fn check_values(&mut self, own: &ChartFiles, at: ChartOrigin<'_>) {
        if let Some(file) = own.get("values.yaml").copied()
            && let Some(text) = self.read_text(file, "values.yaml", at)
        {
            let (shown, path) = at.file("values.yaml");
            if let Err(error) = check_mappings(&text) {
                let file = ChartFile::masked(&shown, path, &text);
                self.report_syntax("values.yaml", HelmYamlError::new(&file, error));
            }
        }
        if let Some(file) = own.get(SCHEMA).copied()
            && let Some(text) = self.read_text(file, SCHEMA, at)
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
        {
            let (shown, path) = at.file(SCHEMA);
            let start = byte_offset(&text, error.line(), error.column());
            let span = FileSpan::new(&ChartFile::masked(&shown, path, &text), start..start);
            let message = format!("`{SCHEMA}` cannot be read as JSON: {error}");
            self.findings.error(Some(span), message, "correct the text there, or just before it");
        }
    }

    fn load_charts(
        &mut self,
        found: BTreeMap<String, ChartFiles>,
        at: ChartOrigin<'_>,
        depth: usize,
    ) -> BTreeMap<String, LoadedChart> {
        let mut charts = BTreeMap::new();
        for (name, files) in found {
            let shown = format!("{}/charts/{name}", at.shown);
            if depth >= MAX_DEPTH {
                let message = format!("`{shown}` is a chart nested more than {MAX_DEPTH} deep");
                self.findings.error(None, message, "depend on it from a chart further up");
                break;
            }
            // Errors in them stop publishing. Warnings do not matter here, because others made these charts.
            let mut inner = ChartFindings::default();
            let mut loader =
                ChartLoader { hidden: self.hidden, contents: &mut *self.contents, findings: &mut inner };
            let chart = loader.load_vendored(&name, files, &shown, at, depth);
            self.findings.take_errors(inner);
            let Some(chart) = chart else { continue };
            let key = chart.metadata.name.clone();
            if let Some(earlier) = charts.insert(key.clone(), chart) {
                let message = format!("`{}` and `{shown}` are both the chart `{key}`", earlier.shown);
                self.findings.dependency(None, message, "remove the one that `Chart.lock` does not name");
            }
        }
        charts
    }

    fn load_vendored(
        &mut self,
        name: &str,
        files: ChartFiles,
        shown: &str,
        at: ChartOrigin<'_>,
        depth: usize,
    ) -> Option<LoadedChart> {
        if let Some(file) = files.get("").copied() {
            if !has_extension(name, "tgz") {
                let message =
                    format!("`{shown}` is not a chart: Helm accepts directories and `.tgz` files there");
                self.findings.error(None, message, "move it elsewhere, or name it in `.helmignore`");
                return None;
            }
            let unpacked =
                self.contents.read(file).map_err(|error| format!("cannot be read: {error}")).and_then(
                    |bytes| unpack(Cursor::new(bytes), self.contents).map_err(|error| error.reason),
                );
            return match unpacked {
                Ok(unpacked) => self.load(unpacked.files, ChartOrigin { shown, folder: None }, depth + 1),
                Err(reason) => {
                    let help = "run `helm dependency build` to fetch it again";
                    self.findings.error(None, format!("`{shown}` {reason}"), help);
                    None
                }
            };
        }
        let folder = at.folder.map(|folder| folder.join("charts").join(name));
        self.load(files, ChartOrigin { shown, folder: folder.as_deref() }, depth + 1)
    }
}

/// Whether a name has exactly this extension: Helm distinguishes upper and lower case.
fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// Returns the offset of a line and column, both counted from 1, as in JSON errors.
fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = before.saturating_add(column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
