//! The package of a chart: a tar file in gzip, in Helm's order (`pkg/chartutil/save.go`). The same files make the same bytes on every
//! machine, because only names and contents are taken from the disk: no owners, no modes, no times.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::file_names::walk_order;
use crate::file_store::{FileStore, PackageBuffer, PackageBytes, StoredFile};
use crate::load::LoadedChart;
use crate::metadata::CHART_YAML;
use oci_registry::{Digest, Digester};

/// The extra field that Helm writes into the header of every package.
const EXTRA: &str = "+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";
/// The compression level that Helm uses, which is zlib's default. Another level would make other bytes.
const LEVEL: u32 = 6;

/// A package.
pub(crate) struct PackagedChart {
    pub(crate) bytes: Arc<PackageBytes>,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

/// Packages `chart`. Every file gets the time `modified`, in seconds since 1970.
pub(crate) fn package_chart(
    chart: &LoadedChart,
    contents: &mut FileStore,
    modified: u64,
) -> io::Result<PackagedChart> {
    let output = PackageOutput { spool: PackageBuffer::new(), digester: Digester::sha256(), size: 0 };
    let gzip = GzBuilder::new()
        .extra(EXTRA)
        .comment("Helm")
        .mtime(0)
        .operating_system(255) // unknown, as in Go
        .write(output, Compression::new(LEVEL));
    let mut tar = PackageTar { builder: Builder::new(gzip), contents, modified };
    tar.chart(chart, "")?;
    let output = tar.builder.into_inner()?.finish()?;
    Ok(PackagedChart {
        digest: output.digester.finish(),
        size: output.size,
        bytes: Arc::new(output.spool.finish()),
    })
}

struct PackageOutput {
    spool: PackageBuffer,
    digester: Digester,
    size: u64,
}

impl Write for PackageOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.spool.write(bytes)?;
        self.digester.update(bytes.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.flush()
    }
}

struct PackageTar<'a> {
    builder: Builder<GzEncoder<PackageOutput>>,
    contents: &'a mut FileStore,
    modified: u64,
}

impl PackageTar<'_> {
    fn chart(&mut self, chart: &LoadedChart, prefix: &str) -> io::Result<()> {
        let base = format!("{prefix}{}/", chart.metadata.name);
        self.file(&format!("{base}{CHART_YAML}"), chart.text.as_bytes())?;
        let mut files: Vec<(&str, StoredFile)> =
            chart.files.iter().map(|(name, held)| (name.as_str(), *held)).collect();
        files
            .sort_by(|(one, _), (other, _)| rank(one).cmp(&rank(other)).then_with(|| walk_order(one, other)));
        for (name, held) in files {
            let bytes = self.contents.read(held)?;
            self.file(&format!("{base}{name}"), &bytes)?;
        }
        for inner in chart.charts.values() {
            self.chart(inner, &format!("{base}charts/"))?;
        }
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.modified);
        header.set_size(bytes.len() as u64);
        // A name that does not fit, or is not ASCII, goes into an extended header, as in Go.
        if !name.is_ascii() || header.set_path(name).is_err() {
            self.builder.append_pax_extensions([("path", name.as_bytes())])?;
            let ascii: String = name.chars().filter(char::is_ascii).take(100).collect();
            if header.set_path(ascii.trim_end_matches('/')).is_err() {
                header.set_path("file")?;
            }
        }
        header.set_cksum();
        self.builder.append(&header, bytes)
    }
}

/// Returns the rank of a file in Helm's order: the files that Helm knows by name, then templates, then the rest.
fn rank(name: &str) -> u8 {
    match name {
        "Chart.lock" => 0,
        "values.yaml" => 1,
        "values.schema.json" => 2,
        name if name.starts_with("templates/") => 3,
        _ => 4,
    }
}
