"""Permissions: GitHub as an identity provider, the role that its workflows assume, and the role of the
instances."""

import json
import urllib.request

from botocore import UNSIGNED

from account import ACCOUNT, ENDPOINT, client, iam, refused, sts

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"


def trust(principal, action, **condition):
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Identity:
    def __init__(self):
        iam.create_open_id_connect_provider(
            Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"]
        )
        condition = {
            "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{ISSUER}:sub": "repo:acme/news:*"},
        }
        web = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", Condition=condition)
        role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=web)
        self.role = role["Role"]["Arn"]
        iam.get_waiter("role_exists").wait(RoleName="deploy")
        policy = iam.create_policy(
            PolicyName="deploy", PolicyDocument=allow("autoscaling:*", "elasticloadbalancing:*")
        )
        self.policy = policy["Policy"]["Arn"]
        iam.get_waiter("policy_exists").wait(PolicyArn=self.policy)
        iam.attach_role_policy(RoleName="deploy", PolicyArn=self.policy)
        iam.put_role_policy(
            RoleName="deploy", PolicyName="push", PolicyDocument=allow("ecr:*")
        )
        ec2 = trust({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")
        iam.create_role(RoleName="web", AssumeRolePolicyDocument=ec2)
        iam.create_instance_profile(InstanceProfileName="web")
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="web")
        iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
        self.assume()

    def assume(self):
        """Exchanges a GitHub token for the role's credentials, as a workflow does."""
        query = "api-version=2.0&audience=sts.amazonaws.com"
        request = urllib.request.Request(f"{ENDPOINT}/_lab/github/token?{query}")
        request.add_header("Authorization", "bearer lab-id-token-request-token")
        token = json.load(urllib.request.urlopen(request))["value"]
        unsigned = client("sts", {"signature_version": UNSIGNED})
        role = {"RoleArn": self.role, "RoleSessionName": "job-1", "WebIdentityToken": token}
        session = unsigned.assume_role_with_web_identity(**role)["Credentials"]
        mine = client(
            "sts",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        arn = mine.get_caller_identity()["Arn"]
        assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/job-1", arn
        assume = unsigned.assume_role_with_web_identity
        refused("InvalidIdentityToken", 400, assume, **{**role, "WebIdentityToken": "x.y.z"})
        other = {**role, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/web"}
        refused("AccessDenied", 403, assume, **other)
        # The trust policy does not name the account's own users.
        refused("AccessDenied", 403, sts.assume_role, RoleArn=self.role, RoleSessionName="me")

    def tear_down(self):
        conflict = "DeleteConflict", 409
        refused(*conflict, iam.delete_role, RoleName="deploy")
        refused(*conflict, iam.delete_policy, PolicyArn=self.policy)
        refused(*conflict, iam.delete_instance_profile, InstanceProfileName="web")
        iam.delete_role_policy(RoleName="deploy", PolicyName="push")
        iam.detach_role_policy(RoleName="deploy", PolicyArn=self.policy)
        iam.delete_policy(PolicyArn=self.policy)
        iam.delete_role(RoleName="deploy")
        iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="web")
        iam.delete_instance_profile(InstanceProfileName="web")
        iam.delete_role(RoleName="web")
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
        refused("NoSuchEntity", 404, iam.get_role, RoleName="web")
