//! The table of layers: for each crate its stage, and what it may and must never see.
//!
//! This is the data; `layers` compares. The order is the one in which the data meets the crates. A new
//! crate comes with a line here, and with the answer to one question: which stage is it?

/// One crate of ours.
pub(super) struct Layer {
    pub(super) name: &'static str,
    /// What the crate does with the data, in a few words.
    pub(super) stage: &'static str,
    /// The crates of ours that it may use.
    pub(super) uses: &'static [&'static str],
    /// Crates from outside that it must not even see through another one.
    pub(super) never: &'static [&'static str],
}

/// A crate from outside that brings a world with it (a runtime, a protocol, a format).
pub(super) struct Heavy {
    pub(super) name: &'static str,
    /// The crates of ours that may depend on it directly.
    pub(super) users: &'static [&'static str],
}

pub(super) const LAYERS: &[Layer] = &[
    Layer {
        name: "daemun-base",
        stage: "what every process needs",
        uses: &[],
        never: &["http", "hyper", "rustls", "kube-client", "k8s-openapi"],
    },
    Layer {
        name: "daemun-objects",
        stage: "objects as users write them",
        uses: &[],
        never: &["tokio", "hyper", "rustls", "kube-client"],
    },
    Layer {
        name: "daemun-model",
        stage: "what a gateway should do, as plain data",
        uses: &[],
        never: &[
            "tokio",
            "hyper",
            "rustls",
            "kube-client",
            "kube-core",
            "k8s-openapi",
        ],
    },
    Layer {
        name: "daemun-route",
        stage: "which rule a request belongs to",
        uses: &["daemun-model"],
        never: &[
            "tokio",
            "hyper",
            "rustls",
            "socket2",
            "rustix",
            "mio",
            "kube-client",
        ],
    },
    Layer {
        name: "daemun-translate",
        stage: "objects in, model and verdicts out, purely",
        uses: &["daemun-objects", "daemun-model"],
        never: &[
            "tokio",
            "hyper",
            "rustls",
            "rand",
            "getrandom",
            "kube-client",
        ],
    },
    Layer {
        name: "daemun-wire",
        stage: "how the model travels to proxies, and their answers back",
        uses: &["daemun-model", "daemun-base"],
        never: &["kube-client", "kube-core", "k8s-openapi"],
    },
    Layer {
        name: "daemun-proxy",
        stage: "holds what is live and serves requests",
        uses: &["daemun-model", "daemun-route", "daemun-base"],
        never: &[
            "kube-client",
            "kube-core",
            "k8s-openapi",
            "schemars",
            "serde-saphyr",
        ],
    },
    Layer {
        name: "daemun-controller",
        stage: "watches objects, calls translate, publishes",
        uses: &[
            "daemun-objects",
            "daemun-model",
            "daemun-translate",
            "daemun-wire",
            "daemun-base",
        ],
        never: &["hickory-resolver"],
    },
    Layer {
        name: "daemun",
        stage: "the binary: arguments to one of its commands",
        uses: &[
            "daemun-base",
            "daemun-objects",
            "daemun-model",
            "daemun-route",
            "daemun-translate",
            "daemun-wire",
            "daemun-proxy",
            "daemun-controller",
        ],
        never: &[],
    },
    Layer {
        name: "daemun-testkit",
        stage: "development only: what tests need",
        uses: &[
            "daemun-base",
            "daemun-objects",
            "daemun-model",
            "daemun-route",
            "daemun-translate",
            "daemun-wire",
            "daemun-proxy",
            "daemun-controller",
        ],
        never: &[],
    },
    Layer {
        name: "bench-rig",
        stage: "development only: the fast parts of the load rig",
        uses: &[],
        never: &["hyper", "kube-client"],
    },
    Layer {
        name: "xtask",
        stage: "development only: the project's own tasks",
        uses: &["daemun-objects", "daemun-translate"],
        never: &[],
    },
];

pub(super) const HEAVY: &[Heavy] = &[
    Heavy {
        name: "tokio",
        users: &[
            "daemun-base",
            "daemun-wire",
            "daemun-proxy",
            "daemun-controller",
            "daemun",
            "daemun-testkit",
            "bench-rig",
            "xtask",
        ],
    },
    Heavy {
        name: "prometheus-client",
        users: &["daemun-base", "daemun-proxy"],
    },
    Heavy {
        name: "tracing-subscriber",
        users: &["daemun-base"],
    },
    Heavy {
        name: "schemars",
        users: &["daemun-objects", "xtask"],
    },
    Heavy {
        name: "regex-automata",
        users: &["daemun-route"],
    },
    Heavy {
        name: "regex-syntax",
        users: &["daemun-route", "daemun-translate"],
    },
    Heavy {
        name: "x509-parser",
        users: &["daemun-translate"],
    },
    Heavy {
        name: "hyper",
        users: &["daemun-proxy", "daemun", "daemun-testkit"],
    },
    Heavy {
        name: "hyper-util",
        users: &["daemun-wire", "daemun-proxy", "daemun", "daemun-testkit"],
    },
    Heavy {
        name: "h2",
        users: &["daemun-proxy"],
    },
    Heavy {
        name: "rustls",
        users: &["daemun-wire", "daemun-proxy", "daemun-testkit", "bench-rig"],
    },
    Heavy {
        name: "tokio-rustls",
        users: &["daemun-wire", "daemun-proxy", "daemun-testkit"],
    },
    Heavy {
        name: "aws-lc-rs",
        users: &["daemun-proxy"],
    },
    Heavy {
        name: "hickory-resolver",
        users: &["daemun-proxy"],
    },
    Heavy {
        name: "kube",
        users: &["daemun-controller", "daemun-testkit", "xtask"],
    },
    Heavy {
        name: "tonic",
        users: &["daemun-wire"],
    },
    Heavy {
        name: "rmp-serde",
        users: &["daemun-wire"],
    },
    Heavy {
        name: "notify",
        users: &["daemun-controller"],
    },
    Heavy {
        name: "granit-parser",
        users: &["daemun-controller"],
    },
    Heavy {
        name: "serde-saphyr",
        users: &["daemun", "xtask"],
    },
    Heavy {
        name: "clap",
        users: &["daemun", "daemun-testkit", "bench-rig", "xtask"],
    },
];
