//! The account's state, as boto3 reads it, independent of cutover.

use serde_json::Value;

use super::lab::Lab;

/// Returns `versions` (newest first), `weights` (percent by target group, of the users' rule),
/// `groups` (MinSize, DesiredCapacity and saved version), `refreshes`, `scheduled`, `parameters`,
/// and `errors`: how many server errors users received from the load balancer or from targets.
pub(crate) fn of(lab: &Lab) -> Value {
    lab.boto(READ)
}

const READ: &str = "
elb, ec2, autoscaling = client('elbv2'), client('ec2'), client('autoscaling')
versions = ec2.describe_launch_template_versions(LaunchTemplateName='news')['LaunchTemplateVersions']

balancer = elb.describe_load_balancers(Names=['news'])['LoadBalancers'][0]['LoadBalancerArn']
listener = elb.describe_listeners(LoadBalancerArn=balancer)['Listeners'][0]['ListenerArn']
rules = elb.describe_rules(ListenerArn=listener)['Rules']
live = next(rule for rule in rules if rule['Priority'] == '10')
forward = live['Actions'][0]['ForwardConfig']['TargetGroups']
total = sum(target['Weight'] for target in forward)
weights = {target['TargetGroupArn'].split('/')[1]: 100 * target['Weight'] // total for target in forward}

groups = {group['AutoScalingGroupName']: [group['MinSize'], group['DesiredCapacity'], group['LaunchTemplate']['Version']]
          for group in autoscaling.describe_auto_scaling_groups()['AutoScalingGroups']}
refreshes = [refresh['InstanceRefreshId'] for group in groups
             for refresh in autoscaling.describe_instance_refreshes(AutoScalingGroupName=group)['InstanceRefreshes']]
scheduled = [[action['AutoScalingGroupName'], action['ScheduledActionName']]
             for action in autoscaling.describe_scheduled_actions()['ScheduledUpdateGroupActions']]
parameters = client('ssm').get_parameters_by_path(Path='/cutover', Recursive=True)['Parameters']

# The lab started at the machine's time and is now ahead of it.
now = datetime.datetime.now(datetime.timezone.utc)
errors = 0
for metric in ('HTTPCode_ELB_5XX_Count', 'HTTPCode_Target_5XX_Count'):
    found = client('cloudwatch').get_metric_data(
        StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(hours=8),
        MetricDataQueries=[{'Id': 'errors', 'MetricStat': {'Period': 60, 'Stat': 'Sum', 'Metric': {
            'Namespace': 'AWS/ApplicationELB', 'MetricName': metric,
            'Dimensions': [{'Name': 'LoadBalancer', 'Value': balancer.split(':loadbalancer/')[1]}]}}}])
    errors += sum(found['MetricDataResults'][0]['Values'])
result = dict(versions=[version['VersionNumber'] for version in versions], weights=weights, groups=groups,
              refreshes=refreshes, scheduled=scheduled, parameters=[p['Name'] for p in parameters], errors=errors)
";
