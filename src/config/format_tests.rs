//! The layout of configurations: tables of cases, and any text: meaning and comments stay, and the layout is final.

use proptest::prelude::*;

use super::*;

#[test]
fn layouts() {
    for (before, after) in [
        ("", ""),
        ("\n\n\n", ""),
        ("a=1", "a = 1\n"),
        ("  a  =  1  \n\n\n\nb=2\n\n", "a = 1\n\nb = 2\n"),
        ("# c  \n\n[ a . \"b c\" ]# d\nx=1\n[[ y ]]\n", "# c\n\n[a.\"b c\"] # d\nx = 1\n\n[[y]]\n"),
        ("a=1\n# of b\n[b]\n", "a = 1\n# of b\n[b]\n"),
        ("a.b . c=1.5", "a.b.c = 1.5\n"),
        ("a=[1,2 , 3,]", "a = [1, 2, 3]\n"),
        ("a=[ ]\nb={ }", "a = []\nb = {}\n"),
        ("a={x=1,y={z=[1,2]}}", "a = { x = 1, y = { z = [1, 2] } }\n"),
        ("a=[\n1,2\n, 3 # three\n\n\n,4]", "a = [\n    1, 2,\n    3, # three\n\n    4,\n]\n"),
        ("a=[ # first\n  # second\n  1\n]", "a = [ # first\n    # second\n    1,\n]\n"),
        ("a=[[\n1],[2]]", "a = [[\n    1,\n], [2]]\n"),
        ("a=1979-05-27 07:32:00 # t", "a = 1979-05-27 07:32:00 # t\n"),
        ("a='''\n x  \n\n\n'''   # c", "a = '''\n x  \n\n\n'''   # c\n"),
        ("a=1    # one\nbc=2   # two", "a = 1    # one\nbc = 2   # two\n"),
        ("a=1\t# tab", "a = 1 # tab\n"),
        ("a=1\r\n\r\n\r\nb=2\r\n", "a = 1\r\n\r\nb = 2\r\n"),
        ("\u{feff}a=1", "\u{feff}a = 1\n"),
    ] {
        assert_eq!(formatted(before).as_deref(), Some(after), "{before:?}");
        assert_eq!(formatted(after).as_deref(), Some(after), "{before:?} again");
    }
    assert_eq!(formatted("a = "), None);
}

#[test]
fn a_long_list_gets_a_line_for_each_entry() {
    let long = "x".repeat(70);
    assert_eq!(
        formatted(&format!("a=['{long}', '{long}']")),
        Some(format!("a = [\n    '{long}',\n    '{long}',\n]\n"))
    );
}

/// Pieces of which many texts are valid.
fn document() -> impl Strategy<Value = String> {
    let space = prop_oneof![Just(""), Just(" "), Just("  "), Just("\t")];
    let scalar = prop_oneof![
        Just("1".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("nan".to_owned()),
        Just("true".to_owned()),
        Just("1979-05-27 07:32:00.5Z".to_owned()),
        Just("'l # no comment'".to_owned()),
        Just("\"b \\\" ] } , =\"".to_owned()),
        Just("'''\n multi, ]\n  # no\n'''".to_owned()),
        Just("\"\"\"\\\n   x\"\"\"".to_owned()),
    ];
    let gap = prop_oneof![Just(""), Just(" "), Just("\n"), Just(" # c ]\n"), Just("\n\n  \n"), Just("\r\n")];
    let value = scalar.prop_recursive(3, 20, 4, move |inner| {
        let items = proptest::collection::vec((gap.clone(), inner.clone(), gap.clone(), gap.clone()), 0..4);
        let array = (items.clone(), any::<bool>(), gap.clone()).prop_map(|(items, last, end)| {
            let count = items.len();
            let items = items.into_iter().enumerate().map(|(at, (before, value, after, behind))| {
                let comma = if at + 1 < count || last { "," } else { "" };
                format!("{before}{value}{after}{comma}{behind}")
            });
            format!("[{}{end}]", items.collect::<String>())
        });
        let table = proptest::collection::vec((space_of(), inner, space_of()), 0..3).prop_map(|items| {
            let items = items.into_iter().enumerate();
            let items = items
                .map(|(at, (before, value, after))| format!("{before}k{at}{after}={before}{value}{after}"));
            format!("{{{}}}", items.collect::<Vec<_>>().join(","))
        });
        prop_oneof![array, table]
    });
    let comment = prop_oneof![Just(""), Just("# c"), Just("  # [c] = \"x\"  "), Just("\t#\t")];
    let line = (space, value, comment, 0..4_usize).prop_map(|(space, value, comment, kind)| match kind {
        0 => format!("{space}{comment}\n"),
        1 => format!("[{space}H{space}]{comment}\n"),
        _ => format!("{space}K{space}={space}{value}{comment}\n"),
    });
    proptest::collection::vec(line, 0..12).prop_map(|lines| {
        // Each key and each header once.
        let lines = lines.into_iter().enumerate();
        lines
            .map(|(at, line)| line.replace('H', &format!("h{at}")).replace('K', &format!("\"key {at}\" . x")))
            .collect()
    })
}

fn space_of() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just(" "), Just("   ")]
}

proptest! {
    #[test]
    fn the_meaning_and_the_comments_stay_and_the_layout_is_final(text in document()) {
        let Some(once) = formatted(&text) else { return Err(TestCaseError::fail(format!("not TOML: {text}"))) };
        prop_assert_eq!(meaning(&once), meaning(&text));
        prop_assert_eq!(comments(&once), comments(&text));
        prop_assert_eq!(formatted(&once), Some(once.clone()));
        prop_assert!(!text.contains("x.  =") || once != text);
        for line in once.lines().filter(|_| !once.contains("'''")) {
            prop_assert!(line == line.trim_end(), "{:?}", line);
        }
    }
}
