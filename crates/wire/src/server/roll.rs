//! Who is connected, and what each of them said last.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;

use super::Asks;
use crate::answer::{Phase, Proxies, ProxyState};
use crate::frame::Answer;
use crate::identity::Proxy;
use crate::resource::Version;

/// A stream's number in the roll.
pub(super) type Number = u64;

/// The streams, by number: the later one has the greater number.
#[derive(Default)]
pub(super) struct Roll {
    last: Number,
    entries: BTreeMap<Number, Entry>,
}

struct Entry {
    proxy: Proxy,
    version: String,
    answer: Answer,
    silent: bool,
    asks: Asks,
}

impl Roll {
    /// A proxy that has come.
    pub(super) fn enter(&mut self, proxy: Proxy, version: String, asks: Asks) -> Number {
        self.last += 1;
        let answer = Answer {
            phase: Phase::Starting,
            generation: None,
            root: None,
            refused: Vec::new(),
        };
        self.entries.insert(
            self.last,
            Entry {
                proxy,
                version,
                answer,
                silent: false,
                asks,
            },
        );
        self.last
    }

    /// What it says now.
    pub(super) fn answered(&mut self, number: Number, answer: Answer) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.answer = answer;
        }
    }

    /// Whether it is heard of.
    pub(super) fn silent(&mut self, number: Number, silent: bool) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.silent = silent;
        }
    }

    /// A proxy that has gone.
    pub(super) fn leave(&mut self, number: Number) {
        self.entries.remove(&number);
    }

    /// How to ask a proxy.
    pub(super) fn asks(&self, proxy: &Proxy) -> Option<Asks> {
        let mut entries = self.entries.values().rev();
        let entry = entries.find(|entry| entry.proxy == *proxy)?;
        Some(entry.asks.clone())
    }

    /// All that is known of proxies. Of several streams of one proxy the latest counts.
    pub(super) fn proxies(&self, mut root: impl FnMut(&ObjectName) -> Option<Version>) -> Proxies {
        let mut latest: BTreeMap<&Proxy, &Entry> = BTreeMap::new();
        latest.extend(self.entries.values().map(|entry| (&entry.proxy, entry)));
        let mut by_gateway: BTreeMap<ObjectName, Vec<ProxyState>> = BTreeMap::new();
        for (proxy, entry) in latest {
            let newest = root(&proxy.gateway);
            let states = by_gateway.entry(proxy.gateway.clone()).or_default();
            states.push(ProxyState {
                proxy: proxy.clone(),
                version: entry.version.clone(),
                phase: if entry.silent {
                    Phase::Silent
                } else {
                    entry.answer.phase
                },
                generation: entry.answer.generation,
                current: newest.is_some() && newest == entry.answer.root,
                refused: entry.answer.refused.clone(),
            });
        }
        Proxies { by_gateway }
    }
}
