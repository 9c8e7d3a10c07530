//! Hostile charts and large ones: they are refused by name, in bounded memory and time.

use super::*;

#[test]
#[allow(clippy::too_many_lines)] // a table
fn hostile_packages_are_refused_by_name() {
    let chart = b"name: a\nversion: 1.2.3\n".as_slice();
    let made = |build: &dyn Fn(&mut tar::Builder<Vec<u8>>)| {
        let mut tar = tar::Builder::new(Vec::new());
        entry(&mut tar, "a/Chart.yaml", chart);
        build(&mut tar);
        gzip(&tar.into_inner().expect("a tar file"))
    };
    let file = |name: &'static str| made(&move |tar| entry(tar, name, b"x"));
    let special = |kind: tar::EntryType| {
        made(&move |tar| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_path("a/x").expect("a path");
            header.set_link_name("/etc/passwd").expect("a link");
            header.set_size(0);
            header.set_cksum();
            tar.append(&header, std::io::empty()).expect("appended");
        })
    };
    let long = made(&|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(2 << 20);
        header.set_cksum();
        tar.append(&header, std::io::repeat(b'x').take(2 << 20)).expect("appended");
    });
    let declared_large = made(&|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_path("a/x").expect("a path");
        header.set_size(u64::MAX >> 2);
        header.set_cksum();
        tar.append(&header, b"x".as_slice()).expect("appended");
    });
    let many = made(&|tar| {
        for number in 0..30 {
            entry(tar, &format!("a/{number}"), &vec![0; 4 << 20]);
        }
    });
    let mut bomb = gzip(&vec![0; 1 << 20]);
    // Consecutive members, which gzip reads as one: a gigabyte of zeros after the end of the tar file.
    let member = bomb.clone();
    let mut zeros = made(&|_| {});
    for _ in 0..1024 {
        zeros.extend_from_slice(&member);
    }
    bomb.truncate(100);
    let cut = |length: usize| file("a/values.yaml")[..length].to_vec();
    for (package, expected) in [
        (file("../x"), "`../x`, which has `..` in its path"),
        (file("a/../../x"), "which has `..` in its path"),
        (file("/etc/x"), "which has an absolute path"),
        (file("a\\..\\x"), "which has a backslash in its name"),
        (file("c:/x"), "which has a name that starts with a Windows drive"),
        (file("Chart.yaml"), "which lies outside the chart's directory"),
        (file("b/x"), "which lies outside the directory `a`"),
        (file("a/Chart.yaml"), "holds `a/Chart.yaml` twice"),
        (file("a//Chart.yaml"), "twice"),
        (file("./a/x"), "it must not begin with `./`"),
        (special(tar::EntryType::Symlink), "which is a link"),
        (special(tar::EntryType::Link), "which is a link"),
        (special(tar::EntryType::Char), "which is not a regular file"),
        (special(tar::EntryType::Fifo), "which is not a regular file"),
        (special(tar::EntryType::GNUSparse), "which is a sparse file"),
        (long, "a name or extended header of more than 1 MiB"),
        (declared_large, "is cut off"),
        (many, "larger than 100 MiB"),
        (zeros, "unpacks to more than 100 MiB"),
        (cut(20), "is cut off"),
        (cut(60), "is cut off"),
        (Vec::new(), "is cut off"),
        (b"not a package at all".to_vec(), "is not a gzip file"),
        (gzip(&[b'x'; 1024]), "contains no tar file"),
        (gzip(&[0; 1024]), "holds no files"),
        (gzip(b""), "holds no files"),
        (Made::default().with("values.yaml", "").package("a"), "has no `Chart.yaml`"),
        (Made::default().with("Chart.yaml", "name: a\n").package("a"), "`version` is missing"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.tgz"), package).expect("written");
        let found = refused(folder.path(), &ChartSpec { app_version: None, ..spec("a.tgz") });
        assert!(found.contains(expected), "`{expected}` is not in\n{found}");
        // The same under `charts/`.
        let inner = Made::small("outer", "1.0.0")
            .with_bytes("charts/a.tgz", fs::read(folder.path().join("a.tgz")).expect("read"));
        if inner.files["charts/a.tgz"].len() < 5 << 20 {
            let found = refused_chart(&inner);
            assert!(found.contains(expected), "`{expected}` is not in\n{found}");
        }
    }
    // Consecutive members, and long names, are read as other programs read them.
    let folder = tempfile::tempdir().expect("a folder");
    let mut tar = tar::Builder::new(Vec::new());
    let long = format!("a/templates/{}.yaml", "long/".repeat(40));
    for (name, bytes) in [("a/Chart.yaml", chart), (long.as_str(), b"x".as_slice())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("appended");
    }
    let tar = tar.into_inner().expect("a tar file");
    fs::write(folder.path().join("a.tgz"), [gzip(&tar[..700]), gzip(&tar[700..])].concat()).expect("written");
    let OpenedChart { source, .. } =
        open_in(folder.path(), &ChartSpec { app_version: None, ..spec("a.tgz") })
            .unwrap_or_else(|error| panic!("{error}"));
    assert!(source.root().is_ok());
}

#[test]
fn hostile_yaml_is_refused_in_no_time() {
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for number in 1..60 {
        let before = format!("*a{},", number - 1).repeat(9);
        aliases.push_str(&format!("a{number}: &a{number} [{before}]\n"));
    }
    let keys: String = (0..9_000).map(|number| format!("k{number}: v,")).collect();
    let bomb = |rest: &str| format!("name: a\nversion: 1.0.0\n{aliases}{rest}");
    for text in [
        bomb("dependencies:\n- name: d\n  version: 1.0.0\n  import-values: *a59\n"),
        bomb("keywords: *a59\n"),
        bomb("annotations: {a: *a59}\n"),
        format!("name: a\nversion: 1.0.0\nx: {}\n", "[".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\nx: {}\n", "{a: ".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\nx: [{}]\n", "a,".repeat(100_000)),
        format!("name: a\nversion: 1.0.0\n{}", "- ".repeat(100_000)),
        "x".repeat(2 << 20),
        format!(
            "a: &a {}\nkeywords: [{}]\nname: a\nversion: 1.0.0\n",
            "x".repeat(500_000),
            "*a,".repeat(40_000)
        ),
        format!("a: &a {{{}}}\nmaintainers: [{}]\nname: a\nversion: 1.0.0\n", keys, "*a,".repeat(20_000)),
        format!(
            "a: &a {{{}}}\nb: &b {{<<: [{}]}}\nmaintainers: [{}]\nname: a\nversion: 1.0.0\n",
            keys,
            "*a,".repeat(9_000),
            "*b,".repeat(9_000)
        ),
        format!("a: &a {{{}}}\n<<: [{}]\nname: a\nversion: 1.0.0\n", keys, "*a,".repeat(20_000)),
    ] {
        refused_chart(&Made::default().with("Chart.yaml", &text));
    }
    // Values are read once and never expanded.
    let folder = written(&Made::small("a", "1.0.0").with("values.yaml", &aliases));
    Sent::of(folder.path(), &spec("chart"));
}

#[test]
fn large_charts_are_packaged_and_read_from_any_position() {
    // More bytes than are held in memory, which do not compress well.
    let mut chart = Made::small("large", "1.0.0");
    let mut state = 1_u64;
    for number in 0..6 {
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        });
        chart = chart.with_bytes(&format!("files/{number}"), noise.take(3 << 20).collect());
    }
    let folder = written(&chart);
    let sent = Sent::of(folder.path(), &spec("chart"));
    let once = sent.blob(manifest::CONTENT);
    assert!(once.len() > 16 << 20);
    assert_eq!(sent.blob(manifest::CONTENT), once);
}
