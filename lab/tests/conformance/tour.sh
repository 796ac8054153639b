#!/usr/bin/env bash
# A tour of the lab with the AWS CLI: creates a small fleet behind a load balancer, runs one instance
# refresh, shifts weights once, and deletes everything. It is a test, and can be followed by hand:
#
#   cutover lab serve --speed 100 &        # prints where it listens
#   export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=ap-northeast-2
#   export AWS_ACCESS_KEY_ID=AKIALABLABLABLABLAB0 AWS_SECRET_ACCESS_KEY=unchecked
#   bash lab/tests/conformance/tour.sh
set -euo pipefail
export AWS_PAGER="" AWS_DEFAULT_OUTPUT=text

step() { printf '\n== %s\n' "$*"; }

# Prints the value at a path of the response.
get() { local path=$1; shift; aws "$@" --query "$path"; }

# Repeats a call until the response is as wanted. AWS has no waiter for some things.
until_is() {
  local wanted=$1; shift
  for _ in $(seq 60); do
    if [[ $(get "$@") == "$wanted" ]]; then return; fi
  done
  echo "timed out waiting for $wanted: $*" >&2
  return 1
}

# Runs a command that AWS must refuse with this code.
refused() {
  local code=$1; shift
  local said
  if said=$("$@" 2>&1); then echo "not refused with $code: $*" >&2; return 1; fi
  if [[ $said != *"($code)"* ]]; then echo "refused, but not with $code: $said" >&2; return 1; fi
  echo "refused: ${said##*operation: }"
}

step "Who am I?"
account=$(get Account sts get-caller-identity)

step "A network: two subnets in two zones"
vpc=$(get Vpc.VpcId ec2 create-vpc --cidr-block 10.1.0.0/16)
gateway=$(get InternetGateway.InternetGatewayId ec2 create-internet-gateway)
aws ec2 attach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
read -r zone_a zone_b _ < <(get 'AvailabilityZones[].ZoneName' ec2 describe-availability-zones)
subnet() { get Subnet.SubnetId ec2 create-subnet --vpc-id "$vpc" --availability-zone "$1" --cidr-block "$2"; }
a=$(subnet "$zone_a" 10.1.1.0/24)
b=$(subnet "$zone_b" 10.1.2.0/24)
group=$(get GroupId ec2 create-security-group --vpc-id "$vpc" --group-name tour --description tour)
aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 80 --cidr 0.0.0.0/0

step "An image, pushed with ECR's API"
aws ecr create-repository --repository-name tour
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '{"config":{"Labels":{"lab.version":"tour","lab.boot-seconds":"5"}}}' >"$folder/config.json"
config=sha256:$(sha256sum <"$folder/config.json" | cut -d' ' -f1)
size=$(stat -c %s "$folder/config.json")
upload=$(get uploadId ecr initiate-layer-upload --repository-name tour)
aws ecr upload-layer-part --repository-name tour --upload-id "$upload" \
  --part-first-byte 0 --part-last-byte $((size - 1)) --layer-part-blob "fileb://$folder/config.json"
aws ecr complete-layer-upload --repository-name tour --upload-id "$upload" --layer-digests "$config"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[]}' \
  "$config" "$size" >"$folder/manifest.json"
digest=$(get image.imageId.imageDigest ecr put-image --repository-name tour --image-tag v1 \
  --image-manifest "file://$folder/manifest.json")

step "A launch template that runs it"
image=$account.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com/tour@$digest
machine=$(get Parameter.Value ssm get-parameter \
  --name /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64)
user_data=$(printf '#!/bin/sh\ndocker run -d -p 80:8080 %s\n' "$image" | base64 -w0)
aws ec2 create-launch-template --launch-template-name tour --launch-template-data \
  "{\"ImageId\":\"$machine\",\"InstanceType\":\"t3.micro\",\"SecurityGroupIds\":[\"$group\"],\"UserData\":\"$user_data\"}"

step "A load balancer with a weighted rule"
balancer=$(get 'LoadBalancers[0].LoadBalancerArn' elbv2 create-load-balancer --name tour \
  --subnets "$a" "$b" --security-groups "$group")
target_group() {
  get 'TargetGroups[0].TargetGroupArn' elbv2 create-target-group --name "$1" --protocol HTTP \
    --port 80 --vpc-id "$vpc" --health-check-path /healthz
}
blue=$(target_group tour-blue)
green=$(target_group tour-green)
listener=$(get 'Listeners[0].ListenerArn' elbv2 create-listener --load-balancer-arn "$balancer" \
  --protocol HTTP --port 80 --default-actions Type=fixed-response,FixedResponseConfig={StatusCode=404})
forward() {
  printf '[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"%s","Weight":%d},{"TargetGroupArn":"%s","Weight":%d}]}}]' \
    "$blue" "$1" "$green" "$2"
}
rule=$(get 'Rules[0].RuleArn' elbv2 create-rule --listener-arn "$listener" --priority 10 \
  --conditions Field=path-pattern,Values='/*' --actions "$(forward 100 0)")
aws elbv2 wait load-balancer-available --load-balancer-arns "$balancer"

step "An Auto Scaling group of two"
aws autoscaling create-auto-scaling-group --auto-scaling-group-name tour \
  --launch-template LaunchTemplateName=tour,Version=1 --min-size 0 --max-size 4 --desired-capacity 2 \
  --vpc-zone-identifier "$a,$b" --target-group-arns "$blue" \
  --health-check-type ELB --health-check-grace-period 60
until_is 2 "length(AutoScalingGroups[0].Instances[?LifecycleState=='InService'])" \
  autoscaling describe-auto-scaling-groups --auto-scaling-group-names tour
aws elbv2 wait target-in-service --target-group-arn "$blue"

step "An instance refresh to a second version"
aws ec2 create-launch-template-version --launch-template-name tour --source-version 1 \
  --launch-template-data InstanceType=t3.small
refresh=$(get InstanceRefreshId autoscaling start-instance-refresh --auto-scaling-group-name tour \
  --preferences MinHealthyPercentage=100,MaxHealthyPercentage=200,InstanceWarmup=0 \
  --desired-configuration LaunchTemplate='{LaunchTemplateName=tour,Version=2}')
until_is Successful 'InstanceRefreshes[0].Status' \
  autoscaling describe-instance-refreshes --auto-scaling-group-name tour --instance-refresh-ids "$refresh"
refused ActiveInstanceRefreshNotFound \
  aws autoscaling rollback-instance-refresh --auto-scaling-group-name tour

step "5% of the traffic to the other target group"
aws elbv2 modify-rule --rule-arn "$rule" --actions "$(forward 95 5)"

step "Everything is deleted"
refused ResourceInUse aws autoscaling delete-auto-scaling-group --auto-scaling-group-name tour
aws autoscaling delete-auto-scaling-group --auto-scaling-group-name tour --force-delete
until_is 0 'length(AutoScalingGroups)' autoscaling describe-auto-scaling-groups
refused ResourceInUse aws elbv2 delete-target-group --target-group-arn "$blue"
aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
aws elbv2 wait load-balancers-deleted --load-balancer-arns "$balancer"
aws elbv2 delete-target-group --target-group-arn "$blue"
aws elbv2 delete-target-group --target-group-arn "$green"
aws ec2 delete-launch-template --launch-template-name tour
aws ecr delete-repository --repository-name tour --force
refused DependencyViolation aws ec2 delete-vpc --vpc-id "$vpc"
aws ec2 delete-security-group --group-id "$group"
aws ec2 detach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
aws ec2 delete-internet-gateway --internet-gateway-id "$gateway"
aws ec2 delete-subnet --subnet-id "$a"
aws ec2 delete-subnet --subnet-id "$b"
aws ec2 delete-vpc --vpc-id "$vpc"
