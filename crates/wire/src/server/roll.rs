//! Who is connected, and what each of them said last.

use std::collections::BTreeMap;

use daemun_model::names::ObjectName;
use tokio::sync::oneshot;

use crate::answer::{Phase, ProxyState};
use crate::frame::Answer;
use crate::identity::Proxy;
use crate::resource::Version;

/// Streams of one proxy at a time: one, and one more where the controller's name has two addresses of one replica.
const STREAMS: usize = 2;

/// A stream's number in the roll.
pub(super) type Number = u64;

/// The streams of each Gateway's proxies, by number: the later one has the greater number.
#[derive(Default)]
pub(super) struct Roll {
    last: Number,
    gateways: BTreeMap<ObjectName, BTreeMap<Number, Entry>>,
}

/// A proxy that has come.
pub(super) struct Coming {
    /// Which one.
    pub(super) proxy: Proxy,
    /// The version of its program.
    pub(super) version: String,
    /// Why it is not spoken with, if it is not.
    pub(super) foreign: Option<String>,
    /// Where its stream is told to end, and why.
    pub(super) end: oneshot::Sender<String>,
}

struct Entry {
    coming: Coming,
    answer: Answer,
    silent: bool,
}

impl Roll {
    /// A proxy that has come. What it had begun before ends.
    pub(super) fn enter(&mut self, coming: Coming) -> Number {
        self.last += 1;
        let gateway = coming.proxy.gateway.clone();
        let entries = self.gateways.entry(gateway).or_default();
        let earlier = entries.iter().rev();
        let earlier = earlier.filter(|(_, entry)| entry.coming.proxy == coming.proxy);
        let (mut spoken, mut ends, mut reached) = (1, Vec::new(), None);
        for (number, entry) in earlier {
            // Until it tells, what it told before counts.
            reached = reached.or(entry.answer.reached);
            spoken += usize::from(entry.coming.foreign.is_none());
            if entry.coming.foreign.is_some() || spoken > STREAMS {
                ends.push(*number);
            }
        }
        for number in ends {
            if let Some(entry) = entries.remove(&number) {
                // It may be ending by itself.
                let _ = entry.coming.end.send("the proxy has come anew".to_owned());
            }
        }
        let entry = Entry {
            coming,
            answer: Answer::starting(reached),
            silent: false,
        };
        entries.insert(self.last, entry);
        self.last
    }

    /// Whether it is known already that a proxy of this version is not spoken with.
    pub(super) fn knows_foreign(&self, proxy: &Proxy, version: &str) -> bool {
        let entries = self.gateways.get(&proxy.gateway);
        entries.into_iter().flat_map(BTreeMap::values).any(|entry| {
            let Coming {
                proxy: other,
                version: known,
                foreign,
                end: _,
            } = &entry.coming;
            other == proxy && known == version && foreign.is_some()
        })
    }

    fn entry(&mut self, gateway: &ObjectName, number: Number) -> Option<&mut Entry> {
        self.gateways.get_mut(gateway)?.get_mut(&number)
    }

    /// What it says now.
    pub(super) fn answered(&mut self, gateway: &ObjectName, number: Number, answer: Answer) {
        if let Some(entry) = self.entry(gateway, number) {
            let reached = answer.reached.or(entry.answer.reached);
            entry.answer = Answer { reached, ..answer };
        }
    }

    /// Whether it is heard of.
    pub(super) fn silent(&mut self, gateway: &ObjectName, number: Number, silent: bool) {
        if let Some(entry) = self.entry(gateway, number) {
            entry.silent = silent;
        }
    }

    /// A proxy that has gone.
    pub(super) fn left(&mut self, gateway: &ObjectName, number: Number) {
        drop(self.leave(gateway, number));
    }

    fn leave(&mut self, gateway: &ObjectName, number: Number) -> Option<Entry> {
        let entries = self.gateways.get_mut(gateway)?;
        let entry = entries.remove(&number);
        if entries.is_empty() {
            self.gateways.remove(gateway);
        }
        entry
    }

    /// Ends all streams of a proxy.
    pub(super) fn end(&mut self, proxy: &Proxy, why: &str) {
        let numbers: Vec<Number> = {
            let entries = self.gateways.get(&proxy.gateway);
            let entries = entries.into_iter().flatten();
            let own = entries.filter(|(_, entry)| entry.coming.proxy == *proxy);
            own.map(|(number, _)| *number).collect()
        };
        for number in numbers {
            if let Some(entry) = self.leave(&proxy.gateway, number) {
                // It may be ending by itself.
                let _ = entry.coming.end.send(why.to_owned());
            }
        }
    }

    /// All that is known of a Gateway's proxies. Of several streams of one proxy the latest counts.
    pub(super) fn proxies(
        &self,
        gateway: &ObjectName,
        newest: Option<Version>,
    ) -> Option<Vec<ProxyState>> {
        let entries = self.gateways.get(gateway)?;
        let mut latest: BTreeMap<&Proxy, &Entry> = BTreeMap::new();
        latest.extend(entries.values().map(|entry| (&entry.coming.proxy, entry)));
        let states = latest.into_values().map(|entry| ProxyState {
            proxy: entry.coming.proxy.clone(),
            version: entry.coming.version.clone(),
            foreign: entry.coming.foreign.clone(),
            phase: if entry.silent {
                Phase::Silent
            } else {
                entry.answer.phase
            },
            generation: entry.answer.generation,
            current: newest.is_some() && newest == entry.answer.root,
            refused: entry.answer.refused.clone(),
            reached: entry.answer.reached,
        });
        Some(states.collect())
    }
}
