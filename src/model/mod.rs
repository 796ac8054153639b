//! The nouns: what every part of the house talks about. Data and small total functions; no I/O,
//! no clock, and no type of any SDK.

mod ecr;
mod event;
mod evidence;
mod fleet;
mod image;
mod layer;
mod outcome;
mod record;
mod scan;
mod size;
mod strategy;
mod traffic;

pub use ecr::EcrRegistry;
pub use event::{Event, Stamped};
pub use evidence::{Counts, TargetGroupCounts};
pub use fleet::{
    Capacity, Group, Instance, InstanceRefresh, LaunchTemplate, Lifecycle, Preferences,
    RefreshStatus, ScheduledAction, TemplateSource, VersionSpec,
};
pub use image::{Digest, ImageReference, InvalidReference, Repository};
pub use layer::{LayerProgress, LayerState};
pub use outcome::{Ending, Outcome, Requests};
pub use record::{
    FleetFacts, Goal, OneGroupFacts, Phase, Record, RefreshFacts, RetirementFacts, RuleFacts,
    SideFacts, TwoGroupsFacts,
};
pub use scan::{Findings, NewRepository, Scan, ScanGate, Severity};
pub use size::Size;
pub use strategy::{Colour, PerColour, Strategy};
pub use traffic::{
    Forward, Listener, LoadBalancer, Rule, RuleId, RuleMatch, Stickiness, Target, TargetGroup,
    TargetHealth,
};
