"""Launch templates, and the role that their instances have."""

import base64
import json

from account import REGION, REGISTRY, ec2, iam

MACHINES = [{"Name": "name", "Values": ["al2023-ami-2023*x86_64"]}]


def instance_profile(name):
    """Creates a role that EC2 may assume and that may pull from ECR, in a profile of the same name."""
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**statement, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    pull = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    iam.attach_role_policy(RoleName=name, PolicyArn=pull)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def user_data(image):
    """Returns a script that runs `image`, serving on port 80."""
    return (
        "#!/bin/bash\n"
        "dnf install -y docker && systemctl enable --now docker\n"
        f"aws ecr get-login-password --region {REGION} |\n"
        f"  docker login --username AWS --password-stdin {REGISTRY}\n"
        f"docker run -d --restart always -p 80:8080 {image}\n"
    )


def launch_template(name, network, profile, image):
    """Creates a template whose version 1 runs `image`."""
    machines = ec2.describe_images(Owners=["amazon"], Filters=MACHINES)["Images"]
    newest = max(machines, key=lambda machine: machine["CreationDate"])
    data = {
        "ImageId": newest["ImageId"],
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Name": profile},
        "SecurityGroupIds": [network.instance_group],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "UserData": base64.b64encode(user_data(image).encode()).decode(),
    }
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
