"""Sets up ECR through boto3, calls every operation that the lab has, and checks the responses against
botocore's models (see shapes.py). The argument is the lab's address."""

import hashlib
import json
import pathlib
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))

import boto3  # noqa: E402
import botocore.exceptions  # noqa: E402
import shapes  # noqa: E402

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PART = 5 << 20

shapes.watch()
ecr = boto3.client(
    "ecr",
    endpoint_url=sys.argv[1],
    region_name="ap-northeast-2",
    aws_access_key_id="AKIALABLABLABLABLAB0",
    aws_secret_access_key="x",
)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response
    raise AssertionError(f"not refused with {code}")


def upload(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    begun = ecr.initiate_layer_upload(repositoryName="team/web")["uploadId"]
    for first in range(0, len(data), PART):
        part = data[first : first + PART]
        ecr.upload_layer_part(
            repositoryName="team/web",
            uploadId=begun,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
    done = ecr.complete_layer_upload(repositoryName="team/web", uploadId=begun, layerDigests=[digest])
    assert done["layerDigest"] == digest
    return digest


def push(label, tag):
    config = upload(json.dumps({"config": {"Labels": {**label, "tag": tag}}}).encode())
    layer = upload(tag.encode() + b"\x00" * PART)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 1}],
    }
    ecr.put_image(repositoryName="team/web", imageManifest=json.dumps(manifest), imageTag=tag)
    return layer


web = {"repositoryName": "team/web"}
made = ecr.create_repository(
    **web,
    imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest*"}],
    imageScanningConfiguration={"scanOnPush": True},
    tags=[{"Key": "team", "Value": "web"}],
)["repository"]
assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"]
layer = push({"lab.findings": "CRITICAL:1,LOW:2"}, "v1")
upload(b"twice")
refused("LayerAlreadyExistsException", upload, data=b"twice")
begun = ecr.initiate_layer_upload(**web)["uploadId"]
gap = refused(
    "InvalidLayerPartException",
    ecr.upload_layer_part,
    **web,
    uploadId=begun,
    partFirstByte=5,
    partLastByte=6,
    layerPartBlob=b"ab",
)
assert gap["lastValidByteReceived"] == -1, gap

url = ecr.get_download_url_for_layer(**web, layerDigest=layer)["downloadUrl"]
with urllib.request.urlopen(url) as response:
    assert "sha256:" + hashlib.sha256(response.read()).hexdigest() == layer
try:
    urllib.request.urlopen(url.replace("Signature=", "Signature=0"))
    raise AssertionError("a URL with a wrong signature was accepted")
except urllib.error.HTTPError as error:
    assert error.code == 403, error

image = {**web, "imageId": {"imageTag": "v1"}}
ecr.get_waiter("image_scan_complete").wait(**image, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
found = ecr.describe_image_scan_findings(**image)["imageScanFindings"]
assert found["findingSeverityCounts"] == {"CRITICAL": 1, "LOW": 2}, found
refused("LimitExceededException", ecr.start_image_scan, **image)
assert ecr.describe_images(**web, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]["imageSizeInBytes"] > PART
assert ecr.batch_get_image(**web, imageIds=[{"imageTag": "v1"}, {"imageTag": "no"}])["failures"]
assert ecr.list_images(**web, filter={"tagStatus": "TAGGED"})["imageIds"]
assert ecr.batch_check_layer_availability(**web, layerDigests=[layer])["layers"]

policy = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep one",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)
push({}, "latest-1")
ecr.start_lifecycle_policy_preview(**web, lifecyclePolicyText=policy)
preview = {**web, "WaiterConfig": {"Delay": 1, "MaxAttempts": 60}}
ecr.get_waiter("lifecycle_policy_preview_complete").wait(**preview)
expiring = ecr.get_lifecycle_policy_preview(**web)["previewResults"]
assert [image["imageTags"] for image in expiring] == [["v1"]], expiring
ecr.put_lifecycle_policy(**web, lifecyclePolicyText=policy)
ecr.get_lifecycle_policy(**web)
ecr.delete_lifecycle_policy(**web)
statement = json.dumps({"Version": "2012-10-17", "Statement": []})
ecr.set_repository_policy(**web, policyText=statement)
ecr.get_repository_policy(**web)
ecr.delete_repository_policy(**web)
ecr.put_image_tag_mutability(**web, imageTagMutability="MUTABLE")
ecr.put_image_scanning_configuration(**web, imageScanningConfiguration={"scanOnPush": False})

filters = [{"filter": "team/*", "filterType": "WILDCARD"}]
rules = [{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": filters}]
ecr.put_registry_scanning_configuration(scanType="ENHANCED", rules=rules)
ecr.get_registry_scanning_configuration()
ecr.batch_get_repository_scanning_configuration(repositoryNames=["team/web", "no/such"])
push({"lab.findings": "HIGH:1"}, "v3")
image = {**web, "imageId": {"imageTag": "v3"}}
assert ecr.describe_image_scan_findings(**image)["imageScanStatus"]["status"] == "PENDING"
while ecr.describe_image_scan_findings(**image)["imageScanStatus"]["status"] != "ACTIVE":
    pass
assert ecr.describe_image_scan_findings(**image)["imageScanFindings"]["enhancedFindings"]

ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
ecr.get_account_setting(name="BLOB_MOUNTING")
ecr.put_registry_policy(policyText=statement)
ecr.get_registry_policy()
ecr.delete_registry_policy()
ecr.describe_registry()
template = {"prefix": "ROOT", "appliedFor": ["CREATE_ON_PUSH"], "lifecyclePolicy": policy}
ecr.create_repository_creation_template(**template)
ecr.update_repository_creation_template(prefix="ROOT", description="all")
assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"][0]["description"] == "all"
ecr.delete_repository_creation_template(prefix="ROOT")
ecr.tag_resource(resourceArn=made["repositoryArn"], tags=[{"Key": "a", "Value": "b"}])
ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["a"])
ecr.batch_delete_image(**web, imageIds=[{"imageTag": "v1"}])
refused("RepositoryNotEmptyException", ecr.delete_repository, **web)
ecr.delete_repository(**web, force=True)
refused("RepositoryNotFoundException", ecr.list_images, **web)
assert ecr.get_authorization_token()["authorizationData"][0]["proxyEndpoint"] == sys.argv[1]
assert not shapes.misfits, "\n".join(sorted(shapes.misfits))
