//! `balance` and `connections` of a BackendPolicy.

use daemun_model::backend::Connections;
use daemun_model::policy::balance::{Balance, HashKey};
use daemun_model::verdict::FieldPath;
use daemun_objects::Known;
use daemun_objects::own::backend_policy::{
    Balance as Written, BalanceType, Connections as WrittenConnections, ConsistentHash, HashType,
};

use super::limits::positive;
use crate::value::{header_name, unknown};
use crate::verdict::Refusal;

/// Reads the algorithm.
pub(crate) fn read(written: &Written, path: &FieldPath) -> Result<Balance, Refusal> {
    let Written {
        r#type,
        consistent_hash,
    } = written;
    let kind = match r#type {
        None => BalanceType::LeastRequests,
        Some(kind) => kind.known().ok_or_else(|| {
            let known: Vec<&str> = BalanceType::VALUES.iter().map(|(text, _)| *text).collect();
            unknown(&path.field("type"), "algorithm", kind.as_str(), &known)
        })?,
    };
    let balance = match kind {
        BalanceType::RoundRobin => Balance::RoundRobin,
        BalanceType::LeastRequests => Balance::LeastRequests,
        BalanceType::Random => Balance::Random,
        BalanceType::ConsistentHash => {
            let hash = consistent_hash.as_ref().ok_or_else(|| {
                Refusal::unsupported(
                    path.field("consistentHash"),
                    "A balance of type ConsistentHash has the field consistentHash, which says what is hashed, and it is missing.",
                )
            })?;
            return read_hash(hash, &path.field("consistentHash")).map(Balance::ConsistentHash);
        }
    };
    if consistent_hash.is_some() {
        return Err(Refusal::unsupported(
            path.field("consistentHash"),
            format!(
                "The balance is of type {}, and consistentHash belongs to type ConsistentHash; take one of them out.",
                kind.as_str()
            ),
        ));
    }
    Ok(balance)
}

fn read_hash(written: &ConsistentHash, path: &FieldPath) -> Result<HashKey, Refusal> {
    let ConsistentHash { r#type, name } = written;
    let known: Vec<&str> = HashType::VALUES.iter().map(|(text, _)| *text).collect();
    let kind = r#type
        .known()
        .ok_or_else(|| unknown(&path.field("type"), "hash", r#type.as_str(), &known))?;
    let name_path = path.field("name");
    match (kind, name.as_deref()) {
        (HashType::SourceAddress, None) => Ok(HashKey::SourceAddress),
        (HashType::SourceAddress, Some(_)) => Err(Refusal::unsupported(
            name_path,
            "A hash of the SourceAddress has no name; take it out.",
        )),
        (HashType::Header | HashType::Cookie, None | Some("")) => Err(Refusal::unsupported(
            name_path,
            format!(
                "A hash of a {} has its name, and it is missing.",
                kind.as_str()
            ),
        )),
        (HashType::Header, Some(name)) => header_name(name, &name_path).map(HashKey::Header),
        // Cookies have names of the same characters as headers (RFC 6265, section 4.1.1).
        (HashType::Cookie, Some(name)) => {
            header_name(name, &name_path).map(|_| HashKey::Cookie(name.to_owned()))
        }
    }
}

/// Reads how connections are kept; what is not written is the default.
pub(crate) fn connections(
    written: &WrittenConnections,
    path: &FieldPath,
) -> Result<Connections, Refusal> {
    let WrittenConnections {
        connect,
        idle,
        idle_per_endpoint,
        per_endpoint,
        replay_bytes,
    } = written;
    let default = Connections::default();
    let per_endpoint = per_endpoint.unwrap_or(default.per_endpoint);
    if per_endpoint == 0 {
        return Err(Refusal::unsupported(
            path.field("perEndpoint"),
            "perEndpoint is 0, with which no request could be sent; it is at least 1.",
        ));
    }
    Ok(Connections {
        connect: positive(connect.as_ref(), default.connect, path, "connect")?,
        idle: positive(idle.as_ref(), default.idle, path, "idle")?,
        idle_per_endpoint: idle_per_endpoint.unwrap_or(default.idle_per_endpoint),
        per_endpoint,
        replay_bytes: replay_bytes.unwrap_or(default.replay_bytes),
    })
}
