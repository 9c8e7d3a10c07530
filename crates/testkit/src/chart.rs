//! Helm charts of realistic size for tests, made without Helm. This module does not use the crate under test.
//!
//! `TestChart::broker()` is like the chart of a service with a database: templates, helpers, notes, tests, custom resources, a
//! long `values.yaml`, and a database vendored as a package that `Chart.lock` names.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

/// The files of a chart, by name.
#[derive(Clone, Default)]
pub struct TestChart {
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The name of the vendored database.
pub const DATABASE: &str = "charts/postgresql-15.5.38.tgz";

impl TestChart {
    /// The smallest chart.
    pub fn small(name: &str, version: &str) -> Self {
        Self::default()
            .with("Chart.yaml", &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"))
            .with("values.yaml", "replicas: 1\n")
            .with("templates/config.yaml", "kind: ConfigMap\n")
    }

    /// A service with a database.
    pub fn broker() -> Self {
        let mut chart = Self::default()
            .with("Chart.yaml", CHART)
            .with("Chart.lock", LOCK)
            .with("values.yaml", &values())
            .with(
                "values.schema.json",
                "{\"type\": \"object\", \"properties\": {\"replicaCount\": {\"type\": \"integer\"}}}\n",
            )
            .with(".helmignore", "# Left out\n.git/\n*.bak\n/ci/\n.DS_Store\n")
            .with("README.md", "# brokkr-broker\n\nThe broker of Brokkr.\n")
            .with("README.md.bak", "old\n")
            .with("ci/values.yaml", "replicaCount: 2\n")
            .with("crds/stacks.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n")
            .with("files/dashboard.json", "{\"title\": \"Broker\"}\n")
            .with("templates/NOTES.txt", "Reach the broker at {{ .Values.ingress.host }}.\n")
            .with("templates/_helpers.tpl", "{{- define \"broker.name\" -}}\nbroker\n{{- end -}}\n")
            .with("templates/.deployment.yaml.swp", "left by an editor\n")
            .with(
                "templates/tests/connection.yaml",
                "kind: Pod\nmetadata:\n  annotations:\n    \"helm.sh/hook\": test\n",
            );
        for kind in [
            "configmap",
            "cronjob",
            "deployment",
            "hpa",
            "ingress",
            "job-migrate",
            "networkpolicy",
            "pdb",
            "pvc",
            "role",
            "rolebinding",
            "secret",
            "service",
            "serviceaccount",
            "servicemonitor",
            "statefulset",
        ] {
            let text = format!(
                "{{{{- if .Values.{kind}.enabled }}}}\nkind: {kind}\nmetadata:\n  name: {{{{ include \"broker.name\" . }}}}\n{{{{- end }}}}\n"
            );
            chart = chart.with(&format!("templates/{kind}.yaml"), &text);
        }
        chart.with_bytes(DATABASE, database())
    }

    /// A service without dependencies, of the same shape.
    pub fn agent() -> Self {
        Self::small("brokkr-agent", "0.1.0")
            .with("templates/deployment.yaml", "kind: Deployment\n")
            .with("templates/NOTES.txt", "The agent runs.\n")
            .with("README.md", "# brokkr-agent\n")
    }

    /// Adds a file, or replaces its content.
    #[must_use]
    pub fn with(self, name: &str, text: &str) -> Self {
        self.with_bytes(name, text.as_bytes().to_vec())
    }

    /// Adds a file, or replaces its content.
    #[must_use]
    pub fn with_bytes(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.files.insert(name.to_owned(), bytes);
        self
    }

    /// Removes a file.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.files.remove(name).expect("a file of the chart");
        self
    }

    /// Writes the files into `directory`.
    pub fn write(&self, directory: &Path) {
        for (name, bytes) in &self.files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// Packages the files, in the directory `folder`.
    pub fn package(&self, folder: &str) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in &self.files {
            entry(&mut tar, &format!("{folder}/{name}"), bytes);
        }
        gzip(&tar.into_inner().unwrap())
    }
}

/// Appends a file to a tar, with any name.
pub fn entry(tar: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

/// Compresses `bytes`.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn database() -> Vec<u8> {
    let mut chart = TestChart::small("postgresql", "15.5.38").with("README.md", "# PostgreSQL\n");
    for kind in ["primary/statefulset", "primary/svc", "primary/networkpolicy", "read/statefulset", "secrets"]
    {
        chart = chart.with(&format!("templates/{kind}.yaml"), &format!("# {kind}\n"));
    }
    chart.package("postgresql")
}

const CHART: &str = "# The chart of the broker.
apiVersion: v2
name: brokkr-broker
description: The broker of Brokkr <https://brokkr.example>
type: application
version: 0.0.0 # set when it is published
appVersion: \"0.0.0\"
kubeVersion: \">=1.25.0-0\"
home: https://brokkr.example
sources:
  - https://github.com/colliery-io/brokkr
keywords: [broker, gitops]
maintainers:
  - name: Colliery
    email: hello@colliery.example
annotations:
  artifacthub.io/license: Apache-2.0
dependencies:
  - name: postgresql
    version: ~15.5.0
    repository: https://charts.bitnami.com/bitnami
    condition: postgresql.enabled
";

/// The digest is the `sha256` of the JSON that Helm makes of the requested and locked dependencies; computed with Python.
const LOCK: &str = "dependencies:
- name: postgresql
  repository: https://charts.bitnami.com/bitnami
  version: 15.5.38
digest: sha256:9ebac9f159600a21bff54ae55741aaa6c74eef7b36d1c49edb95eeb61d47c479
generated: \"2024-10-14T09:12:44.123456Z\"
";

fn values() -> String {
    let mut text =
        "# Values of the broker.\nreplicaCount: 1\nimage:\n  repository: ghcr.io/colliery-io/brokkr-broker\n"
            .to_owned();
    for number in 0..60 {
        text.push_str(&format!(
            "\n# Section {number}\nsection{number}:\n  enabled: {}\n  limits: {{cpu: {number}m}}\n  list:\n    - a\n",
            number % 2 == 0
        ));
    }
    text
}
