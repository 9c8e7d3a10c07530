//! The part of a release that one of several runs publishes: `--partition 2/8`.
//!
//! Rendezvous hashing gives each partition a preference for each key, so that a key has one partition, whatever the other keys are. Of
//! 10,000 keys in 8 partitions, though, the largest has about 8 % more than the smallest. So each partition takes as many as its share, and
//! keeps those that prefer it most; the others go to their next preference. A new key then moves only a few others.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// One of several parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    number: usize,
    count: usize,
}

/// The reason why a text is no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `K/N`, the number of this run and of all runs, from `1/1` to `1000/1000`")]
pub struct PartitionError;

/// The most partitions.
const MOST: usize = 1000;

impl std::str::FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let (number, count) = text.split_once('/').ok_or(PartitionError)?;
        let number: usize = number.parse().map_err(|_| PartitionError)?;
        let count: usize = count.parse().map_err(|_| PartitionError)?;
        if number == 0 || number > count || count > MOST {
            return Err(PartitionError);
        }
        Ok(Self { number, count })
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl Partition {
    /// The number of all partitions.
    pub fn count(self) -> usize {
        self.count
    }

    /// Returns those of `keys`, each given once, that belong to this partition.
    pub fn select<'k>(self, keys: &[&'k str]) -> Vec<&'k str> {
        let assigned = assign(keys, self.count);
        keys.iter().copied().filter(|key| assigned.get(key) == Some(&(self.number - 1))).collect()
    }
}

/// Returns the partition of each key, from 0.
fn assign<'k>(keys: &[&'k str], count: usize) -> BTreeMap<&'k str, usize> {
    let share = keys.len().div_ceil(count.max(1));
    // Each partition keeps the keys that prefer it most, the weakest first.
    let mut kept: Vec<BTreeMap<(u64, &'k str), usize>> = vec![BTreeMap::new(); count];
    let mut open: Vec<(&'k str, usize)> = keys.iter().map(|key| (*key, 0)).collect();
    while let Some((key, tried)) = open.pop() {
        let Some((partition, weight)) = preference(key, count, tried) else { continue };
        let Some(own) = kept.get_mut(partition) else { continue };
        own.insert((weight, key), tried);
        if own.len() > share
            && let Some(((_, weakest), tried)) = own.pop_first()
        {
            open.push((weakest, tried + 1));
        }
    }
    let numbered = kept.into_iter().enumerate();
    numbered.flat_map(|(partition, own)| own.into_keys().map(move |(_, key)| (key, partition))).collect()
}

/// Returns the partition that `key` prefers after `tried` others, and how much it does.
fn preference(key: &str, count: usize, tried: usize) -> Option<(usize, u64)> {
    let mut weights: Vec<(u64, usize)> =
        (0..count).map(|partition| (weight(key, partition), partition)).collect();
    weights.sort_unstable();
    weights.into_iter().rev().nth(tried).map(|(weight, partition)| (partition, weight))
}

fn weight(key: &str, partition: usize) -> u64 {
    let digest = Sha256::digest(format!("{partition} {key}").as_bytes());
    digest.iter().take(8).fold(0, |weight, byte| (weight << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("registry.example.com/team-{}/app-{number}", number % 37)).collect()
    }

    fn assigned(keys: &[String], count: usize) -> BTreeMap<&str, usize> {
        assign(&keys.iter().map(String::as_str).collect::<Vec<_>>(), count)
    }

    #[test]
    fn ten_thousand_images_in_eight_partitions() {
        let keys = keys(10_000);
        let of = assigned(&keys, 8);
        assert_eq!(of.len(), keys.len(), "the union is complete, and no key is in two");
        let mut sizes = [0; 8];
        for partition in of.values() {
            sizes[*partition] += 1;
        }
        assert!(
            sizes.iter().all(|size| (1188..=1312).contains(size)),
            "the spread is at most 5 %: {sizes:?}"
        );
        // The partitions stay, but for a few, if images are added.
        let mut more = keys.clone();
        more.extend((0..100).map(|number| format!("registry.example.com/new/app-{number}")));
        let after = assigned(&more, 8);
        let moved = keys.iter().filter(|key| of[key.as_str()] != after[key.as_str()]).count();
        assert!(moved < 300, "{moved} of 10,000 moved");
    }

    #[test]
    fn the_order_of_the_keys_does_not_matter() {
        let keys = keys(100);
        let mut reversed = keys.clone();
        reversed.reverse();
        assert_eq!(assigned(&keys, 7), assigned(&reversed, 7));
        assert_eq!(assigned(&keys, 1).values().sum::<usize>(), 0);
    }

    #[test]
    fn a_partition_is_one_of_several() {
        for (text, valid) in [
            ("1/1", true),
            ("8/8", true),
            ("0/8", false),
            ("9/8", false),
            ("8", false),
            ("a/b", false),
            ("1/1001", false),
        ] {
            assert_eq!(text.parse::<Partition>().is_ok(), valid, "{text}");
        }
        let three: Partition = "3/8".parse().expect("a partition");
        assert_eq!((three.to_string().as_str(), three.count()), ("3/8", 8));
    }
}
