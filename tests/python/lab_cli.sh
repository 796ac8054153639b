# Uses the lab through the AWS CLI, as a person would: reads, pushes an image with skopeo, pins it,
# refreshes the idle group, sends it traffic. Runs in an empty folder; AWS is the program, the
# environment says where the lab is.
set -euo pipefail

aws() { "$AWS" --output text "$@"; }

die() {
  echo "$*" >&2
  exit 1
}

# Runs a command until it prints the expected output.
until_prints() {
  local wanted=$1
  shift
  for _ in $(seq 60); do
    if [[ "$("$@")" == "$wanted" ]]; then return 0; fi
    sleep 0.2
  done
  die "never printed '$wanted': $*"
}

[[ "$(aws sts get-caller-identity --query Account)" == 123456789012 ]] || die "another account"

# An image with the live one's content, pushed with ECR's own login under another tag. Skopeo keeps
# the manifest as it is.
registry=${AWS_ENDPOINT_URL#http://}
repository=docker://$registry/news
aws ecr get-login-password | skopeo login --tls-verify=false --authfile auth.json \
  --username AWS --password-stdin "$registry"
skopeo --insecure-policy copy --quiet --authfile auth.json --src-tls-verify=false "$repository:v1" oci:image:v1
skopeo --insecure-policy copy --quiet --authfile auth.json --dest-tls-verify=false oci:image:v1 "$repository:again"
digest=$(skopeo inspect --authfile auth.json --tls-verify=false --format '{{.Digest}}' "$repository:again")
found=$(aws ecr describe-images --repository-name news --image-ids imageTag=again --query 'imageDetails[0].imageDigest')
[[ "$found" == "$digest" ]] || die "pushed $digest, ECR has $found"
if skopeo inspect --tls-verify=false --no-creds "$repository:v1" >/dev/null 2>&1; then die "it allows anonymous pulls"; fi

# A version pinned to it, and an instance refresh of the idle group.
printf '#!/bin/sh\ndocker run -d -p 80:8080 123456789012.dkr.ecr.%s.amazonaws.com/news@%s\n' \
  "$AWS_REGION" "$digest" | base64 --wrap=0 >user-data
version=$(aws ec2 create-launch-template-version --launch-template-name news --source-version 1 \
  --launch-template-data "UserData=$(<user-data)" --query LaunchTemplateVersion.VersionNumber)
[[ "$version" == 2 ]] || die "version $version"
aws autoscaling start-instance-refresh --auto-scaling-group-name news-green \
  --desired-configuration "LaunchTemplate={LaunchTemplateName=news,Version=$version}" \
  --preferences MinHealthyPercentage=0,SkipMatching=true >refresh
until_prints Successful aws autoscaling describe-instance-refreshes --auto-scaling-group-name news-green \
  --instance-refresh-ids "$(<refresh)" --query 'InstanceRefreshes[0].Status'
aws autoscaling update-auto-scaling-group --auto-scaling-group-name news-green --min-size 2
until_prints 2 aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names news-green \
  --query 'length(AutoScalingGroups[0].Instances[?LifecycleState==`InService`])'

# Traffic.
group() { aws elbv2 describe-target-groups --names "$1" --query 'TargetGroups[0].TargetGroupArn'; }
blue=$(group news-blue) green=$(group news-green)
aws elbv2 wait target-in-service --target-group-arn "$green"
listener=$(aws elbv2 describe-listeners --query 'Listeners[0].ListenerArn' --load-balancer-arn \
  "$(aws elbv2 describe-load-balancers --names news --query 'LoadBalancers[0].LoadBalancerArn')")
rule=$(aws elbv2 describe-rules --listener-arn "$listener" --query "Rules[?Priority=='10'].RuleArn | [0]")
aws elbv2 modify-rule --rule-arn "$rule" --actions \
  "Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=$blue,Weight=0},{TargetGroupArn=$green,Weight=100}]}" >/dev/null
weights=$(aws elbv2 describe-rules --rule-arns "$rule" --query 'Rules[0].Actions[0].ForwardConfig.TargetGroups[].Weight')
[[ "$weights" == $'0\t100' ]] || die "weights: $weights"
