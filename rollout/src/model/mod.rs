//! The domain types that all modules share. Data and small total functions: no I/O, no clock, no SDK
//! types.

mod ecr;
mod event;
mod evidence;
mod failure;
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
pub use event::{Event, TimedEvent};
pub use evidence::{Counts, TargetGroupCounts};
pub use failure::{Failure, join_hints};
pub use fleet::{
    Capacity, Group, Instance, InstanceRefresh, LaunchTemplate, Lifecycle, RefreshPreferences,
    RefreshStatus, ScheduledAction, TemplateSource, VersionSpec,
};
pub use image::{Digest, ImageReference, InvalidReference, Repository};
pub use layer::{LayerProgress, LayerState};
pub use outcome::{Outcome, Requests, Status};
pub use record::{
    FleetFacts, Goal, OneGroupFacts, Phase, Record, RefreshFacts, RuleFacts, ScaleInFacts,
    SideFacts, TwoGroupsFacts,
};
pub use scan::{Findings, RepositorySettings, ScanPolicy, ScanState, Severity};
pub use size::Size;
pub use strategy::{Color, PerColor, Strategy};
pub use traffic::{
    Forward, Listener, LoadBalancer, Rule, RuleConditions, RuleId, Stickiness, Target, TargetGroup,
    TargetHealth,
};
