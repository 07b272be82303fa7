//! The `Schedule` events of `AWS::Serverless::Function`: what is called again and again.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Template, TemplateError, read};

/// A function called at a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleTrigger {
    /// Logical id of the function.
    pub function: String,
    /// The name of the rule, as `CloudFormation` would make it.
    pub rule: String,
    /// The time from one call to the next.
    pub period: Duration,
    /// Calls with the same event after the first failed, before it is parked.
    pub retries: u32,
}

// Whatever else a schedule may have would change when or with what the function is called.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    schedule: String,
    #[serde(default = "default_enabled")]
    enabled: bool,
    #[serde(rename = "Name")]
    _name: Option<String>,
    #[serde(rename = "Description")]
    _description: Option<String>,
}

const fn default_enabled() -> bool {
    true
}

/// Lambda calls a failed asynchronous event twice more, unless told otherwise.
const DEFAULT_RETRIES: u32 = 2;

impl Template {
    /// Every schedule that is enabled.
    ///
    /// # Errors
    /// Names the schedule that cannot be run here.
    pub fn schedule_triggers(&self) -> Result<Vec<ScheduleTrigger>, TemplateError> {
        if let Some((function, event, _)) = self.events("ScheduleV2").next() {
            let reason = "ScheduleV2 is not run here; use Schedule with a rate";
            return Err(TemplateError::shape(&format!("{function}.{event}"), &reason));
        }
        let mut triggers = Vec::new();
        for (function, event, properties) in self.events("Schedule") {
            let place = format!("{function}.{event}");
            let read: Properties = read(&place, properties)?;
            let period =
                period(&read.schedule).map_err(|reason| TemplateError::shape(&place, &reason))?;
            if read.enabled {
                triggers.push(ScheduleTrigger {
                    function: function.to_owned(),
                    rule: format!("{function}{event}"),
                    period,
                    retries: self.asynchronous_retries(function),
                });
            }
        }
        Ok(triggers)
    }

    fn asynchronous_retries(&self, function: &str) -> u32 {
        let retries = self.resources.get(function).and_then(|resource| {
            resource.properties.pointer("/EventInvokeConfig/MaximumRetryAttempts")
        });
        let retries = retries.and_then(Value::as_u64).and_then(|retries| retries.try_into().ok());
        retries.unwrap_or(DEFAULT_RETRIES)
    }
}

/// Reads `rate(1 minute)`, `rate(5 minutes)`, and so with hours and days. `EventBridge` insists
/// on the singular for one and the plural for more.
fn period(expression: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "Schedule {expression:?} cannot be run here; a rate can, like rate(1 minute), rate(5 minutes), rate(1 hour) or rate(2 days)"
        )
    };
    let rate = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let (count, unit) = rate.and_then(|rate| rate.split_once(' ')).ok_or_else(wrong)?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
    let unit = match (unit, count) {
        ("minute", 1) | ("minutes", 2..) => Duration::from_mins(1),
        ("hour", 1) | ("hours", 2..) => Duration::from_hours(1),
        ("day", 1) | ("days", 2..) => Duration::from_hours(24),
        _ => return Err(wrong()),
    };
    unit.checked_mul(count).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedules(properties: &str) -> Result<Vec<ScheduleTrigger>, TemplateError> {
        let text = format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        E: {{ Type: Schedule, Properties: {properties} }}\n"
        );
        Template::parse(&text).unwrap().schedule_triggers()
    }

    #[test]
    fn rates_are_read() {
        for (expression, minutes) in [
            ("rate(1 minute)", 1),
            ("rate(5 minutes)", 5),
            ("rate(1 hour)", 60),
            ("rate(12 hours)", 720),
            ("rate(1 day)", 1440),
            ("rate(7 days)", 10_080),
        ] {
            let read = schedules(&format!("{{ Schedule: {expression} }}")).unwrap();
            assert_eq!(read[0].period, Duration::from_mins(minutes), "{expression}");
            assert_eq!((read[0].rule.as_str(), read[0].retries), ("FE", 2));
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_name() {
        for expression in [
            "cron(0 12 * * ? *)",
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(2 minute)",
            "rate(1 week)",
            "rate(-1 hours)",
            "rate(1 minute",
            "",
        ] {
            let error = schedules(&format!("{{ Schedule: {expression:?} }}")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("F.E") && error.contains(&format!("{expression:?}")), "{error}");
        }
        let input = schedules("{ Schedule: rate(1 minute), Input: '{}' }").unwrap_err();
        assert!(input.to_string().contains("Input"), "{input}");
        assert!(schedules("{}").is_err());
    }

    #[test]
    fn a_disabled_schedule_is_left_out() {
        let read = schedules("{ Schedule: rate(1 minute), Enabled: false, Name: n }").unwrap();
        assert_eq!(read, []);
    }

    #[test]
    fn the_other_kind_of_schedule_is_refused() {
        let text = "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig: { MaximumRetryAttempts: 0 }
      Events:
        E: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 minute) } }
";
        let refused = Template::parse(text).unwrap().schedule_triggers().unwrap_err();
        assert!(refused.to_string().contains("F.E: ScheduleV2"), "{refused}");
        let text = text.replace("V2", "").replace("ScheduleExpression", "Schedule");
        let read = Template::parse(&text).unwrap().schedule_triggers().unwrap();
        assert_eq!(read[0].retries, 0);
    }
}
